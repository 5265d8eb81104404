package process

import (
	"errors"
	"os"
	"testing"
)

const after = " 1 7 7 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 4242 1 1 0"

func TestStartTick(t *testing.T) {
	for _, name := range []string{"etcd", "a b", "x) S 1 (y", ")"} {
		tick, err := startTick([]byte("12 (" + name + ") S" + after))
		if err != nil || tick != "4242" {
			t.Errorf("%q: %q, %v", name, tick, err)
		}
	}
	if _, err := startTick([]byte("12 (etcd) Z" + after)); !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("a zombie: %v", err)
	}
	for _, broken := range []string{"", "12 etcd S 1", "12 (etcd) S 1 2"} {
		if _, err := startTick([]byte(broken)); err == nil {
			t.Errorf("%q has a start", broken)
		}
	}
}
