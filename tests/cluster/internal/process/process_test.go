package process

import (
	"os/exec"
	"testing"
)

// sleeper is a process that would outlive the test; the test collects it.
func sleeper(t *testing.T) (Process, *exec.Cmd) {
	t.Helper()
	cmd := exec.Command("sleep", "600")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	p, err := Remember("sleeper", cmd.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	return p, cmd
}

func TestEndEndsEvenBeforeTheParentCollects(t *testing.T) {
	p, cmd := sleeper(t)
	if !p.Alive() {
		t.Fatal("a running process is not alive")
	}
	if err := End([]Process{p}); err != nil {
		t.Fatal(err)
	}
	if p.Alive() || cmd.ProcessState != nil {
		t.Error("the process still runs, or was collected by somebody else")
	}
	if err := End([]Process{p}); err != nil {
		t.Errorf("ending it again: %v", err)
	}
}

func TestAnotherProcessWithTheSameIDIsLeftAlone(t *testing.T) {
	p, _ := sleeper(t)
	earlier := p
	earlier.Birth = "another boot/1"
	if earlier.Alive() {
		t.Error("a process of another birth counts as ours")
	}
	if err := End([]Process{earlier}); err != nil {
		t.Fatal(err)
	}
	if !p.Alive() {
		t.Error("a process that only shares the id was killed")
	}
}
