// Child processes: started detached, remembered by id and start time, and ended
// only while both still agree.
package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"
)

// process is one that we started. Ids are used again; an id together with the
// moment it was given is not.
type process struct {
	Name  string `json:"name"`
	PID   int    `json:"pid"`
	Birth string `json:"birth"`
}

// Grace periods of stop: test data is thrown away, so nobody needs long.
const (
	termGrace = 3 * time.Second
	killGrace = 10 * time.Second
)

// part is a program to be started for a cluster.
type part struct {
	name    string
	program string
	args    []string
}

// start runs a part in a session of its own, so that neither the end of `up`
// nor a ^C in its terminal reaches it. The channel reports the part's end.
func (c cluster) start(p part) (process, <-chan error, error) {
	log, err := os.OpenFile(c.log(p.name), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return process{}, nil, err
	}
	defer log.Close()
	cmd := exec.Command(p.program, p.args...)
	cmd.Dir = c.dir
	cmd.Env = c.childEnvironment()
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return process{}, nil, fmt.Errorf("%s: %w", p.name, err)
	}
	ended := make(chan error, 1)
	born, err := birth(cmd.Process.Pid)
	if err != nil {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		return process{}, nil, fmt.Errorf("%s: %w", p.name, err)
	}
	go func() { ended <- cmd.Wait() }()
	return process{Name: p.name, PID: cmd.Process.Pid, Birth: born}, ended, nil
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

// alive says whether this very process still runs.
func (p process) alive() bool {
	born, err := birth(p.PID)
	return err == nil && born == p.Birth
}

// signal sends to this very process. os.FindProcess holds on to the process
// where the kernel can (a pidfd), so that checking the birth afterwards leaves
// no moment in which the id could pass to another.
func (p process) signal(sig os.Signal) error {
	handle, err := os.FindProcess(p.PID)
	if err != nil {
		return err
	}
	defer handle.Release()
	if !p.alive() {
		return nil
	}
	if err := handle.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("%s (process %d): %w", p.Name, p.PID, err)
	}
	return nil
}

// stop ends processes: it asks, waits, then insists.
func stop(processes []process) error {
	for _, step := range []struct {
		signal os.Signal
		grace  time.Duration
	}{{syscall.SIGTERM, termGrace}, {syscall.SIGKILL, killGrace}} {
		var failed []error
		for _, p := range slices.Backward(processes) {
			failed = append(failed, p.signal(step.signal))
		}
		if err := errors.Join(failed...); err != nil {
			return err
		}
		deadline := time.Now().Add(step.grace)
		for slices.ContainsFunc(processes, process.alive) {
			if time.Now().After(deadline) {
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
	}
	var left []string
	for _, p := range processes {
		if p.alive() {
			left = append(left, fmt.Sprintf("%s (process %d)", p.Name, p.PID))
		}
	}
	if len(left) > 0 {
		return fmt.Errorf("still running after SIGKILL: %s", strings.Join(left, ", "))
	}
	return nil
}
