// Package process ends child processes safely: each is remembered by its id and
// the moment of its birth, and ended only while both still agree.
package process

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"time"
)

// killGrace is how long the kernel may take to clear a killed process away.
const killGrace = 15 * time.Second

// Process is one that we started. Ids are used again; an id together with the
// moment it was given is not.
type Process struct {
	Name  string `json:"name"`
	PID   int    `json:"pid"`
	Birth string `json:"birth"`
}

// Remember describes a process that runs now.
func Remember(name string, pid int) (Process, error) {
	born, err := birth(pid)
	return Process{Name: name, PID: pid, Birth: born}, err
}

// Alive says whether this very process still runs.
func (p Process) Alive() bool {
	born, err := birth(p.PID)
	return err == nil && born == p.Birth
}

// kill ends this very process. os.FindProcess holds on to the process where the
// kernel can (a pidfd), so that checking the birth afterwards leaves no moment in
// which the id could pass to another.
func (p Process) kill() error {
	handle, err := os.FindProcess(p.PID)
	if err != nil {
		return err
	}
	defer func() { _ = handle.Release() }()
	if !p.Alive() {
		return nil
	}
	if err := handle.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("%s (process %d): %w", p.Name, p.PID, err)
	}
	return nil
}

// End ends processes at once: what they hold is thrown away, so there is nothing
// that they could still put in order. It returns when they are gone.
func End(processes []Process) error {
	var failed []error
	for _, p := range slices.Backward(processes) {
		failed = append(failed, p.kill())
	}
	if err := errors.Join(failed...); err != nil {
		return err
	}
	deadline := time.Now().Add(killGrace)
	for _, p := range processes {
		for p.Alive() {
			if time.Now().After(deadline) {
				return fmt.Errorf("%s (process %d) still runs %s after it was killed", p.Name, p.PID, killGrace)
			}
			time.Sleep(5 * time.Millisecond)
		}
	}
	return nil
}
