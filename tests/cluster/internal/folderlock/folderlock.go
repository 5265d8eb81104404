// Package folderlock lets one process at a time work on a folder, even where the
// work ends with the folder's removal.
package folderlock

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// Lock is held from Acquire to Release.
type Lock struct {
	file *os.File
	dir  string
}

// Acquire makes the folder if need be, and waits until no other process holds the
// lock file in it.
func Acquire(ctx context.Context, dir, file string) (*Lock, error) {
	told := false
	for {
		held, err := try(dir, file)
		if held != nil || err != nil {
			return held, err
		}
		if !told {
			fmt.Fprintf(os.Stderr, "waiting for another process that works on %s\n", dir)
			told = true
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("waiting for the lock of %s: %w", dir, context.Cause(ctx))
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// try returns nil without an error when somebody else holds the lock.
func try(dir, path string) (*Lock, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil // the folder was removed just now
	}
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		file.Close()
		if errors.Is(err, unix.EWOULDBLOCK) || errors.Is(err, unix.EINTR) {
			return nil, nil
		}
		return nil, err
	}
	// Whoever held the lock before may have removed the file: then this lock is
	// on a file that nobody else will find.
	ours, err := file.Stat()
	if err != nil {
		file.Close()
		return nil, err
	}
	current, err := os.Stat(path)
	if err != nil || !os.SameFile(ours, current) {
		file.Close()
		return nil, nil
	}
	return &Lock{file, dir}, nil
}

// Release lets the next one in; the kernel does the same when we die.
func (l *Lock) Release() { l.file.Close() }

// RemoveFolder takes the lock file and the folder away; the folder stays if
// something else is in it. Whoever waits for the lock then makes both anew.
func (l *Lock) RemoveFolder() error {
	if err := os.Remove(l.file.Name()); err != nil {
		return err
	}
	err := os.Remove(l.dir)
	if errors.Is(err, unix.ENOTEMPTY) || errors.Is(err, unix.EEXIST) {
		return nil
	}
	return err
}
