//go:build !linux

// When a process was born, where there is no /proc: ps knows it to the second.
package process

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
)

func birth(pid int) (string, error) {
	ps := exec.Command("ps", "-o", "stat=,lstart=", "-p", strconv.Itoa(pid))
	ps.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "TZ=UTC"}
	text, err := ps.Output()
	if err != nil {
		return "", fmt.Errorf("process %d: %w", pid, err)
	}
	state, started, _ := strings.Cut(strings.TrimSpace(string(text)), " ")
	if started == "" || strings.HasPrefix(state, "Z") {
		return "", os.ErrProcessDone
	}
	return strings.TrimSpace(started), nil
}
