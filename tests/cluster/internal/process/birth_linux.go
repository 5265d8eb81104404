// When a process was born, as Linux tells it.
package process

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"sync"
)

var bootID = sync.OnceValues(func() (string, error) {
	text, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return strings.TrimSpace(string(text)), err
})

// birth names the moment the process began: the boot, and the clock tick since.
// A process that has ended but was not yet collected by its parent is gone.
func birth(pid int) (string, error) {
	boot, err := bootID()
	if err != nil {
		return "", err
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return "", err
	}
	tick, err := startTick(text)
	if err != nil {
		return "", fmt.Errorf("process %d: %w", pid, err)
	}
	return boot + "/" + tick, nil
}

// startTick reads the 22nd field of /proc/PID/stat. The second is the program's
// name in parentheses and may itself hold spaces and parentheses.
func startTick(stat []byte) (string, error) {
	end := bytes.LastIndexByte(stat, ')')
	if end < 0 {
		return "", fmt.Errorf("no name in %q", stat)
	}
	fields := strings.Fields(string(stat[end+1:]))
	if len(fields) < 20 {
		return "", fmt.Errorf("too few fields in %q", stat)
	}
	if state := fields[0]; state == "Z" || state == "X" {
		return "", os.ErrProcessDone
	}
	return fields[19], nil
}
