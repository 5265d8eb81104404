package folderlock

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// Everyone who holds the lock of a folder that comes and goes must be alone in it.
func TestOneAtATimeThroughRemovals(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "folder")
	file, inside := filepath.Join(dir, "lock"), filepath.Join(dir, "inside")
	var wait sync.WaitGroup
	for worker := range 4 {
		wait.Go(func() {
			for round := range 5 {
				held, err := Acquire(context.Background(), dir, file)
				if err != nil {
					t.Error(err)
					return
				}
				if err := os.Mkdir(inside, 0o700); err != nil {
					t.Errorf("not alone: %v", err)
				}
				if err := os.Remove(inside); err != nil {
					t.Error(err)
				}
				if (worker+round)%2 == 0 {
					if err := held.RemoveFolder(); err != nil {
						t.Error(err)
					}
				}
				held.Release()
			}
		})
	}
	wait.Wait()
}

func TestAFolderWithOtherThingsStays(t *testing.T) {
	dir := t.TempDir()
	held, err := Acquire(context.Background(), dir, filepath.Join(dir, "lock"))
	if err != nil {
		t.Fatal(err)
	}
	defer held.Release()
	if err := os.WriteFile(filepath.Join(dir, "other"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := held.RemoveFolder(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "other")); err != nil {
		t.Error(err)
	}
}

func TestWaitingEndsWithTheContext(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "lock")
	held, err := Acquire(context.Background(), dir, file)
	if err != nil {
		t.Fatal(err)
	}
	defer held.Release()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Acquire(ctx, dir, file); err == nil {
		t.Error("the lock has two holders")
	}
}
