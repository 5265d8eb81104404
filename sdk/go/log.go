package sheave

import (
	"fmt"
	"log"
	"os"
	"strings"

	"sheave/internal/core"
)

// The standard library's log goes to the operator's log.
func init() {
	log.SetFlags(0)
	log.SetOutput(lines{})
}

type lines struct{}

func (lines) Write(text []byte) (int, error) {
	Info(strings.TrimRight(string(text), "\n"))
	return len(text), nil
}

// Debug writes a line for the author. The host limits how many lines a call may write.
func Debug(message string) { line(0, message) }

// Info writes a line that is worth knowing.
func Info(message string) { line(1, message) }

// Warn writes a line about what is worth mending.
func Warn(message string) { line(2, message) }

// Error writes a line about what went wrong.
func Error(message string) { line(3, message) }

func line(level uint8, message string) {
	if core.Log == nil {
		// In native tests there is no host.
		fmt.Fprintln(os.Stderr, message)
		return
	}
	core.Log(level, message, nil)
}
