// Subcommands down, status and env: what one does with a cluster that is there.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"sheave.dev/tests/cluster/internal/folderlock"
	"sheave.dev/tests/cluster/internal/shell"
)

// down ends the cluster and leaves nothing behind. None there is no error.
func down(ctx context.Context, c cluster, _ options) error {
	if _, err := os.Stat(c.dir); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err := c.foreign(); err != nil {
		return err
	}
	held, err := folderlock.Acquire(ctx, c.dir, c.lockFile())
	if err != nil {
		return err
	}
	defer held.Release()
	rec, err := c.load()
	switch {
	case errors.Is(err, errNoCluster):
		return held.RemoveFolder()
	case err != nil:
		return err
	}
	if err := c.discard(rec); err != nil {
		return err
	}
	if err := held.RemoveFolder(); err != nil {
		return err
	}
	fmt.Printf("cluster %s is gone\n", rec.Name)
	return nil
}

func status(ctx context.Context, c cluster, opts options) error {
	rec, err := c.load()
	if errors.Is(err, errNoCluster) {
		return fmt.Errorf("%w: %s", err, c.dir)
	}
	if err != nil {
		return err
	}
	fmt.Printf("cluster %s at %s, started %s\n", rec.Name, rec.Server, rec.Started.Local().Format(time.DateTime))
	for _, p := range rec.Processes {
		state := "runs"
		if !p.Alive() {
			state = "has ended"
		}
		fmt.Printf("  %-20s%-10s process %d\n", p.Name, state, p.PID)
	}
	if err := c.unfit(ctx, rec, rec.Name); err != nil {
		return fmt.Errorf("not ready: %w", err)
	}
	fmt.Println("ready")
	return nil
}

// env prints lines for a shell to evaluate.
func env(_ context.Context, c cluster, _ options) error {
	rec, err := c.load()
	if errors.Is(err, errNoCluster) {
		return fmt.Errorf("%w: %s (run up first)", err, c.dir)
	}
	if err != nil {
		return err
	}
	programs, err := findPrograms()
	if err != nil {
		return err
	}
	for _, pair := range [][2]string{
		{"KUBECONFIG", c.kubeconfig()},
		// What kubectl learned of another cluster on the same port is not true here.
		{"KUBECACHEDIR", c.path("home", "kubectl")},
		{"SHEAVE_TEST_CLUSTER_DIR", c.dir},
		{"SHEAVE_TEST_CLUSTER_NAME", rec.Name},
		{"SHEAVE_TEST_SERVER", rec.Server},
		{"SHEAVE_TEST_AUDIT_LOG", c.auditLog()},
		{"SHEAVE_TEST_KUBECTL", programs.kubectl()},
	} {
		fmt.Printf("export %s=%s\n", pair[0], shell.Quote(pair[1]))
	}
	fmt.Printf("export PATH=%s:\"$PATH\"\n", shell.Quote(programs.dir))
	return nil
}
