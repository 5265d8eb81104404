// What "ready" means, for a cluster that starts and for one that is found running.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"sheave.dev/tests/cluster/internal/process"
)

// The probe is a pod that `up` runs once: that it becomes ready shows that
// admission, scheduler, controllers and KWOK work together.
const (
	probeNamespace = metav1.NamespaceSystem
	probeName      = "sheave-cluster-probe"
)

// step is one thing to wait for.
type step struct {
	what  string
	check func(context.Context) error
}

// steps are what `up` waits for once all parts run.
func (c cluster) steps(client kubernetes.Interface) []step {
	return []step{
		{"the first objects", func(ctx context.Context) error { return seed(ctx, client) }},
		{"the nodes", func(ctx context.Context) error { return nodesReady(ctx, client) }},
		{"the default service account", func(ctx context.Context) error {
			_, err := client.CoreV1().ServiceAccounts(metav1.NamespaceDefault).Get(ctx, "default", metav1.GetOptions{})
			return err
		}},
		{"the load balancer controller", c.reportsReady("loadbalancer")},
		{"the volume controller", c.reportsReady("volumes")},
		{"a first pod", func(ctx context.Context) error { return probe(ctx, client) }},
	}
}

// unfit says why a cluster that is there cannot be used as it is, or nil.
func (c cluster) unfit(ctx context.Context, rec *record, name string) error {
	switch {
	case rec.Revision != revision:
		return errors.New("it was started by another build")
	case rec.Name != name:
		return fmt.Errorf("its name is %s", rec.Name)
	case !rec.Ready:
		return errors.New("its start was cut off")
	}
	for _, name := range partNames {
		if !rec.runs(name) {
			return fmt.Errorf("%s does not run", name)
		}
	}
	// Long, for somebody may be using it: that a machine is busy is no reason to
	// take a cluster away.
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	client, err := c.client()
	if err != nil {
		return err
	}
	if err := until(ctx, "the API server", func(ctx context.Context) error { return serves(ctx, client) }); err != nil {
		return err
	}
	return until(ctx, "the nodes", func(ctx context.Context) error { return nodesReady(ctx, client) })
}

func (r *record) runs(name string) bool {
	return slices.ContainsFunc(r.Processes, func(p process.Process) bool { return p.Name == name && p.Alive() })
}

// reportsReady checks for the file by which a part of ours says that it works.
func (c cluster) reportsReady(part string) func(context.Context) error {
	return func(context.Context) error {
		_, err := os.Stat(c.readyFile(part))
		return err
	}
}

func serves(ctx context.Context, client kubernetes.Interface) error {
	return client.Discovery().RESTClient().Get().AbsPath("/readyz").Timeout(3 * time.Second).Do(ctx).Error()
}

func nodesReady(ctx context.Context, client kubernetes.Interface) error {
	nodes, err := client.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	ready := 0
	for _, node := range nodes.Items {
		// A node is of use once it is ready and the taint of its beginning is gone.
		isReady := slices.ContainsFunc(node.Status.Conditions, func(condition corev1.NodeCondition) bool {
			return condition.Type == corev1.NodeReady && condition.Status == corev1.ConditionTrue
		})
		tainted := slices.ContainsFunc(node.Spec.Taints, func(taint corev1.Taint) bool {
			return taint.Key == corev1.TaintNodeNotReady
		})
		if isReady && !tainted {
			ready++
		}
	}
	if ready < nodeCount {
		return fmt.Errorf("%d of %d nodes are ready", ready, nodeCount)
	}
	return nil
}

// probe makes the pod if it is missing, and removes it when it is ready.
func probe(ctx context.Context, client kubernetes.Interface) error {
	pods := client.CoreV1().Pods(probeNamespace)
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: probeName},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "probe", Image: "probe"}}},
	}
	if _, err := pods.Create(ctx, pod, metav1.CreateOptions{}); failed(err) {
		return err
	}
	pod, err := pods.Get(ctx, probeName, metav1.GetOptions{})
	if err != nil {
		return err
	}
	if pod.Status.Phase != corev1.PodRunning {
		return fmt.Errorf("the pod is %s", pod.Status.Phase)
	}
	now := int64(0)
	return pods.Delete(ctx, probeName, metav1.DeleteOptions{GracePeriodSeconds: &now})
}

// until repeats a check until it passes or the context ends.
func until(ctx context.Context, what string, check func(context.Context) error) error {
	for {
		last := check(ctx)
		if last == nil {
			return nil
		}
		if err := pause(ctx, 25*time.Millisecond); err != nil {
			return fmt.Errorf("waiting for %s: %w (last: %v)", what, err, last)
		}
	}
}

// logTail is the end of a log, for an error message.
func logTail(path string) string {
	const lines = 15
	text, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	all := bytes.Split(bytes.TrimRight(text, "\n"), []byte("\n"))
	return string(bytes.Join(all[max(0, len(all)-lines):], []byte("\n")))
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(d):
		return nil
	}
}
