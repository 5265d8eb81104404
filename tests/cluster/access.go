// Who may do what: the users of a cluster, their tokens, and the kubeconfig
// files that carry them.
package main

import (
	"crypto/rand"
	"encoding/csv"
	"os"
	"strings"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

const (
	mastersGroup = "system:masters"
	// controlPlaneGroup marks the cluster's own parts, so that the audit policy
	// can leave out what they read.
	controlPlaneGroup = "sheave-test:control-plane"
	readersGroup      = "sheave-test:readers"
	nolistGroup       = "sheave-test:nolist"

	defaultContext = "admin"
	// certUser is a second administrator, known by a client certificate.
	certUser = "admin-cert"
)

// user is somebody whom the API server knows by a token.
type user struct {
	// key names the user in files and contexts.
	key    string
	name   string
	groups []string
	token  string
}

// peopleUsers are for tests and for people: each has a context of the same name. What the groups may do
// stands with the objects that `up` makes.
func peopleUsers() []user {
	return []user{
		{key: defaultContext, name: "admin", groups: []string{mastersGroup}},
		{key: "reader", name: "reader", groups: []string{readersGroup}},
		{key: "nolist", name: "nolist", groups: []string{nolistGroup}},
		{key: "nobody", name: "nobody"},
	}
}

// partUsers are the cluster's own parts: each has a kubeconfig of its own under auth/.
func partUsers() []user {
	own := []string{mastersGroup, controlPlaneGroup}
	return []user{
		{key: "controller-manager", name: "system:kube-controller-manager"},
		{key: "scheduler", name: "system:kube-scheduler"},
		{key: "kwok", name: "sheave-test:kwok", groups: own},
		{key: "loadbalancer", name: "sheave-test:loadbalancer", groups: own},
		{key: "volumes", name: "sheave-test:volumes", groups: own},
		{key: "setup", name: "sheave-test:setup", groups: own},
	}
}

// reservedName says that a name would be both a cluster's context and a user's.
func reservedName(name string) bool {
	for _, u := range peopleUsers() {
		if u.key == name {
			return true
		}
	}
	return name == certUser
}

func (c cluster) tokenFile() string                 { return c.path("auth", "tokens.csv") }
func (c cluster) partKubeconfig(part string) string { return c.path("auth", part+".kubeconfig") }

// grantAccess makes fresh tokens and writes every file that holds one.
func (c cluster) grantAccess(name, server string) error {
	people, parts := withTokens(peopleUsers()), withTokens(partUsers())
	if err := c.writeTokens(append(people, parts...)); err != nil {
		return err
	}
	authority, err := os.ReadFile(c.path("certs", "ca.crt"))
	if err != nil {
		return err
	}
	entry := &clientcmdapi.Cluster{Server: server, CertificateAuthorityData: authority}
	for _, part := range parts {
		config := clientcmdapi.NewConfig()
		config.Clusters[name] = entry
		config.AuthInfos[part.key] = &clientcmdapi.AuthInfo{Token: part.token}
		config.Contexts[part.key] = &clientcmdapi.Context{Cluster: name, AuthInfo: part.key}
		config.CurrentContext = part.key
		if err := clientcmd.WriteToFile(*config, c.partKubeconfig(part.key)); err != nil {
			return err
		}
	}
	return c.writeKubeconfig(name, entry, people)
}

// writeKubeconfig writes the file for people and tests. Cluster and users carry
// the cluster's name, and so does one more context for admin: kubectl can then
// merge the files of two clusters.
func (c cluster) writeKubeconfig(name string, entry *clientcmdapi.Cluster, people []user) error {
	config := clientcmdapi.NewConfig()
	config.Clusters[name] = entry
	add := func(context, user string, info *clientcmdapi.AuthInfo) {
		config.AuthInfos[user] = info
		config.Contexts[context] = &clientcmdapi.Context{Cluster: name, AuthInfo: user}
	}
	for _, person := range people {
		info := &clientcmdapi.AuthInfo{Token: person.token}
		add(person.key, name+"-"+person.key, info)
		if person.key == defaultContext {
			add(name, name+"-"+person.key, info)
		}
	}
	certificate, err := os.ReadFile(c.path("certs", "client.crt"))
	if err != nil {
		return err
	}
	key, err := os.ReadFile(c.path("certs", "client.key"))
	if err != nil {
		return err
	}
	add(certUser, name+"-"+certUser,
		&clientcmdapi.AuthInfo{ClientCertificateData: certificate, ClientKeyData: key})
	config.CurrentContext = defaultContext
	return clientcmd.WriteToFile(*config, c.kubeconfig())
}

func withTokens(users []user) []user {
	for i := range users {
		users[i].token = rand.Text()
	}
	return users
}

// writeTokens writes the API server's --token-auth-file: token, name, uid, groups.
func (c cluster) writeTokens(users []user) error {
	var text strings.Builder
	lines := csv.NewWriter(&text)
	for _, u := range users {
		line := []string{u.token, u.name, u.key}
		if len(u.groups) > 0 { // an empty column would be a group without a name
			line = append(line, strings.Join(u.groups, ","))
		}
		_ = lines.Write(line)
	}
	lines.Flush()
	return os.WriteFile(c.tokenFile(), []byte(text.String()), 0o600)
}

// clientConfig is how a part of ours reaches its API server: without a limit on
// the client's side, and under a name that nobody takes for what is tested. It is
// also the name by which managedFields know the part.
func clientConfig(kubeconfig, part string) (*rest.Config, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, err
	}
	config.QPS = -1
	config.UserAgent = "test-" + part
	return config, nil
}
