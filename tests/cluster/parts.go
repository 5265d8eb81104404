// The cluster's parts: which programs run, with which flags, and the
// configuration files that they read.
package main

import (
	_ "embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"sheave.dev/tests/cluster/internal/stages"
)

const (
	serviceRange = "10.96.0.0/16"
	// apiServiceIP is the first address of the range: Service kubernetes has it.
	apiServiceIP = "10.96.0.1"
	podRange     = "10.244.0.0/16"
	// loadBalancerRange is the pool of LoadBalancer Services: loopback, so that
	// traffic to an address stays on this machine.
	loadBalancerRange = "127.0.0.0/16"
)

//go:embed config/audit-policy.yaml
var auditPolicy []byte

//go:embed config/kwok.yaml
var kwokConfig []byte

//go:embed config/scheduler.yaml
var schedulerConfig string

// partNames are all parts, in the order in which they start.
var partNames = []string{
	"etcd", "apiserver", "controller-manager", "scheduler", "kwok", "loadbalancer", "volumes",
}

// readyFileParts say by a file that they work; the others are asked, or seen at work.
var readyFileParts = []string{"etcd", "loadbalancer", "volumes"}

// programs are the binaries of one build; they lie beside each other.
type programs struct{ dir, self string }

func findPrograms() (programs, error) {
	self, err := os.Executable()
	if err != nil {
		return programs{}, err
	}
	found := programs{dir: filepath.Dir(self), self: self}
	for _, path := range []string{found.kwok(), found.kubectl(), found.stages()} {
		if _, err := os.Stat(path); err != nil {
			return found, fmt.Errorf("%s is missing: build with `go run ./build -out %s`", path, found.dir)
		}
	}
	return found, nil
}

func (p programs) kwok() string    { return filepath.Join(p.dir, "kwok") }
func (p programs) kubectl() string { return filepath.Join(p.dir, "kubectl") }
func (p programs) stages() string  { return filepath.Join(p.dir, "kwok-stages") }

// configure writes the files that parts read at their start.
func (c cluster) configure(programs programs) error {
	playbook, err := stages.File(programs.stages())
	if err != nil {
		return err
	}
	scheduler := strings.ReplaceAll(schedulerConfig, "KUBECONFIG", fmt.Sprintf("%q", c.partKubeconfig("scheduler")))
	return errors.Join(
		os.WriteFile(c.path("config", "audit-policy.yaml"), auditPolicy, 0o600),
		os.WriteFile(c.path("config", "scheduler.yaml"), []byte(scheduler), 0o600),
		os.WriteFile(c.path("config", "kwok.yaml"), kwokConfig, 0o600),
		os.WriteFile(c.path("config", "stages.yaml"), playbook, 0o600),
	)
}

func (c cluster) etcdPart(p programs) part {
	return part{"etcd", "etcd", p.self, []string{"etcd",
		"--data-dir=" + c.path("etcd"),
		"--ready-file=" + c.readyFile("etcd"),
	}}
}

func (c cluster) apiServerPart(p programs, etcdURL string, port int) part {
	return part{"apiserver", "kube-apiserver", p.self, []string{"apiserver",
		"--etcd-servers=" + etcdURL,
		"--bind-address=127.0.0.1",
		// Loopback is no address that other machines could use, so nothing is
		// published as an endpoint of Service kubernetes.
		"--advertise-address=127.0.0.1",
		"--endpoint-reconciler-type=none",
		fmt.Sprintf("--secure-port=%d", port),
		"--permit-port-sharing=true", // `up` holds the port until the server has it
		"--cert-dir=" + c.path("certs"),
		"--tls-cert-file=" + c.path("certs", "server.crt"),
		"--tls-private-key-file=" + c.path("certs", "server.key"),
		"--client-ca-file=" + c.path("certs", "ca.crt"),
		"--token-auth-file=" + c.tokenFile(),
		"--authorization-mode=Node,RBAC",
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file=" + c.path("certs", "service-account.key"),
		"--service-account-signing-key-file=" + c.path("certs", "service-account.key"),
		"--service-cluster-ip-range=" + serviceRange,
		"--allow-privileged=true",
		// Who measures asks for its garbage to be collected by this.
		"--profiling=true",
		"--audit-policy-file=" + c.path("config", "audit-policy.yaml"),
		"--audit-log-path=" + c.auditLog(),
		"--audit-log-format=json",
		// What was asked for stands in the file before the answer is sent.
		"--audit-log-mode=blocking-strict",
		// Megabytes: far more than tests write, for a rotated log loses lines.
		"--audit-log-maxsize=1000000",
	}}
}

func (c cluster) controllerManagerPart(p programs) part {
	return part{"controller-manager", "kube-controller-manager", p.self, []string{"controller-manager",
		"--kubeconfig=" + c.partKubeconfig("controller-manager"),
		"--secure-port=0", // nobody asks it anything
		"--leader-elect=false",
		"--controllers=*",
		"--use-service-account-credentials=true",
		"--service-account-private-key-file=" + c.path("certs", "service-account.key"),
		"--root-ca-file=" + c.path("certs", "ca.crt"),
		"--cluster-signing-cert-file=" + c.path("certs", "ca.crt"),
		"--cluster-signing-key-file=" + c.path("certs", "ca.key"),
		"--kube-api-qps=1000",
		"--kube-api-burst=2000",
		// Nodes here never die; a busy machine must not make it look so.
		"--node-monitor-grace-period=30m",
	}}
}

func (c cluster) schedulerPart(p programs) part {
	return part{"scheduler", "kube-scheduler", p.self, []string{"scheduler",
		"--config=" + c.path("config", "scheduler.yaml"),
		"--secure-port=0",
	}}
}

func (c cluster) kwokPart(p programs) part {
	return part{"kwok", "kwok", p.kwok(), []string{
		"--kubeconfig=" + c.partKubeconfig("kwok"),
		"--config=" + c.path("config", "kwok.yaml"),
		"--config=" + c.path("config", "stages.yaml"),
		"--manage-nodes-with-annotation-selector=" + fakeNodeAnnotation + "=" + fakeNodeValue,
		"--cidr=" + podRange,
		"--node-lease-duration-seconds=40",
	}}
}

func (c cluster) loadBalancerPart(p programs) part {
	return part{"loadbalancer", "test-loadbalancer", p.self, []string{"loadbalancer",
		"--kubeconfig=" + c.partKubeconfig("loadbalancer"),
		"--ready-file=" + c.readyFile("loadbalancer"),
		"--pool=" + loadBalancerRange,
	}}
}

func (c cluster) volumesPart(p programs) part {
	return part{"volumes", "test-volumes", p.self, []string{"volumes",
		"--kubeconfig=" + c.partKubeconfig("volumes"),
		"--ready-file=" + c.readyFile("volumes"),
		"--root=" + c.path("volumes"),
	}}
}
