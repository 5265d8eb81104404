// Subcommand up: a cluster in this folder, ready for use, whatever was there
// before: nothing, a running cluster, or the remains of one.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"k8s.io/client-go/kubernetes"

	"sheave.dev/tests/cluster/internal/certs"
	"sheave.dev/tests/cluster/internal/folderlock"
	"sheave.dev/tests/cluster/internal/port"
	"sheave.dev/tests/cluster/internal/process"
)

func up(ctx context.Context, c cluster, opts options) error {
	began := time.Now()
	if err := c.foreign(); err != nil {
		return err
	}
	held, err := folderlock.Acquire(ctx, c.dir, c.lockFile())
	if err != nil {
		return err
	}
	defer held.Release()

	name := opts.name
	rec, err := c.load()
	switch {
	case errors.Is(err, errNoCluster):
		if name, err = opts.nameOfNew(); err != nil {
			return errors.Join(err, held.RemoveFolder())
		}
	case err != nil:
		return err
	default:
		if name == "" {
			name = rec.Name
		}
		reason := c.unfit(ctx, rec, name)
		if reason == nil {
			fmt.Printf("cluster %s runs at %s\n", rec.Name, rec.Server)
			return nil
		}
		fmt.Fprintf(os.Stderr, "starting cluster %s again: %v\n", name, reason)
		if err := c.discard(rec); err != nil {
			return err
		}
	}

	ctx, cancel := context.WithTimeoutCause(ctx, opts.timeout, fmt.Errorf("not ready after %s", opts.timeout))
	defer cancel()
	rec, err = c.launchAll(ctx, name)
	if rec == nil {
		return errors.Join(err, held.RemoveFolder())
	}
	if err != nil {
		err = errors.Join(err, process.End(rec.Processes))
		return fmt.Errorf("%w\nits logs are in %s", err, c.path("logs"))
	}
	fmt.Printf("cluster %s runs at %s, ready after %.1f s\n", rec.Name, rec.Server, time.Since(began).Seconds())
	return nil
}

// discard ends what is left of a cluster and clears its folder.
func (c cluster) discard(rec *record) error {
	if err := process.End(rec.Processes); err != nil {
		return err
	}
	return c.remove()
}

// launcher is the state of one start.
type launcher struct {
	cluster
	programs programs
	rec      *record
	// fail ends the start, with its reason.
	fail context.CancelCauseFunc
}

// launchAll starts every part and returns when the cluster is ready. With an
// error it returns the record of what runs all the same; none if nothing began.
func (c cluster) launchAll(ctx context.Context, name string) (*record, error) {
	programs, err := findPrograms()
	if err != nil {
		return nil, err
	}
	reserved, err := port.Reserve()
	if err != nil {
		return nil, err
	}
	defer reserved.Release()
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	l := &launcher{c, programs, &record{
		Name:     name,
		Revision: revision,
		Server:   fmt.Sprintf("https://127.0.0.1:%d", reserved.Number),
		Started:  time.Now().UTC(),
	}, fail}
	// From here on the folder is known as a cluster's, and `down` can clear it.
	if err := c.save(l.rec); err != nil {
		return nil, err
	}
	if err := l.prepare(); err != nil {
		return l.rec, err
	}
	if err := l.launchServer(ctx, reserved.Number); err != nil {
		return l.rec, err
	}
	for _, p := range []part{
		c.controllerManagerPart(programs), c.schedulerPart(programs), c.kwokPart(programs),
		c.loadBalancerPart(programs), c.volumesPart(programs),
	} {
		if err := l.launch(p); err != nil {
			return l.rec, err
		}
	}
	if err := l.finish(ctx); err != nil {
		return l.rec, err
	}
	l.rec.Ready = true
	return l.rec, c.save(l.rec)
}

// prepare makes the folders and every file that parts read.
func (l *launcher) prepare() error {
	for _, folder := range []string{"auth", "certs", "config", "home", "logs", "run", "tmp", "volumes"} {
		if err := os.MkdirAll(l.path(folder), 0o700); err != nil {
			return err
		}
	}
	if err := certs.Make(l.path("certs"), apiServiceIP, certs.Client{Name: certUser, Group: mastersGroup}); err != nil {
		return err
	}
	if err := l.grantAccess(l.rec.Name, l.rec.Server); err != nil {
		return err
	}
	return l.configure(l.programs)
}

// launchServer starts etcd and the API server, and waits for both.
func (l *launcher) launchServer(ctx context.Context, port int) error {
	if err := l.launch(l.etcdPart(l.programs)); err != nil {
		return err
	}
	if err := until(ctx, "etcd", l.reportsReady("etcd")); err != nil {
		return err
	}
	etcdURL, err := os.ReadFile(l.readyFile("etcd"))
	if err != nil {
		return err
	}
	if err := l.launch(l.apiServerPart(l.programs, string(etcdURL), port)); err != nil {
		return err
	}
	client, err := l.client()
	if err != nil {
		return err
	}
	return until(ctx, "the API server", func(ctx context.Context) error { return serves(ctx, client) })
}

// finish fills the cluster and waits until everything works together.
func (l *launcher) finish(ctx context.Context) error {
	client, err := l.client()
	if err != nil {
		return err
	}
	for _, step := range l.steps(client) {
		if err := until(ctx, step.what, step.check); err != nil {
			return err
		}
	}
	return nil
}

// launch starts one part, and lets the whole start fail should the part end.
func (l *launcher) launch(p part) error {
	started, ended, err := l.start(p)
	if err != nil {
		return err
	}
	l.rec.Processes = append(l.rec.Processes, started)
	go func() {
		err := <-ended
		l.fail(fmt.Errorf("%s ended at its start (%v):\n%s", p.name, err, logTail(l.log(p.name))))
	}()
	return l.save(l.rec)
}

// client reaches the API server as the user who sets clusters up.
func (c cluster) client() (kubernetes.Interface, error) {
	config, err := clientConfig(c.partKubeconfig("setup"), "setup")
	if err != nil {
		return nil, err
	}
	return kubernetes.NewForConfig(config)
}
