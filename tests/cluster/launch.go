// How a part becomes a process: detached, with its own log and a clean environment.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"

	"sheave.dev/tests/cluster/internal/process"
)

// part is a program to be started for a cluster. It is called by its title, which
// is what ps shows, and what Kubernetes' own parts say in their user agent.
type part struct {
	name    string
	title   string
	program string
	args    []string
}

// start runs a part in a session of its own, so that neither the end of `up` nor
// a ^C in its terminal reaches it. The channel reports the part's end.
func (c cluster) start(p part) (process.Process, <-chan error, error) {
	log, err := os.OpenFile(c.log(p.name), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return process.Process{}, nil, err
	}
	defer log.Close()
	cmd := exec.Command(p.program, p.args...)
	cmd.Args[0] = p.title
	cmd.Dir = c.dir
	cmd.Env = c.childEnvironment()
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return process.Process{}, nil, fmt.Errorf("%s: %w", p.name, err)
	}
	started, err := process.Remember(p.name, cmd.Process.Pid)
	if err != nil {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		return process.Process{}, nil, fmt.Errorf("%s: %w\n%s", p.name, err, logTail(c.log(p.name)))
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	return started, ended, nil
}

// childEnvironment keeps the user's proxies, kubeconfig and settings away from
// the cluster, and the cluster's files inside its folder.
func (c cluster) childEnvironment() []string {
	return []string{
		"PATH=" + os.Getenv("PATH"),
		"HOME=" + c.path("home"),
		"TMPDIR=" + c.path("tmp"),
		"KWOK_WORKDIR=" + c.path("home", ".kwok"),
	}
}
