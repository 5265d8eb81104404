// One `up` or `down` at a time for each folder.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

type lock struct{ file *os.File }

// lock waits until no other process works on this folder. It makes the folder.
func (c cluster) lock(ctx context.Context) (*lock, error) {
	told := false
	for {
		held, err := c.tryLock()
		if held != nil || err != nil {
			return held, err
		}
		if !told {
			fmt.Fprintf(os.Stderr, "waiting for another sheave-cluster that works on %s\n", c.dir)
			told = true
		}
		if err := pause(ctx, 50*time.Millisecond); err != nil {
			return nil, fmt.Errorf("waiting for the lock of %s: %w", c.dir, err)
		}
	}
}

// tryLock returns nil without an error when somebody else holds the lock.
func (c cluster) tryLock() (*lock, error) {
	if err := os.MkdirAll(c.dir, 0o700); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(c.lockFile(), os.O_CREATE|os.O_RDWR, 0o600)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil // `down` removed the folder just now
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
	current, err := os.Stat(c.lockFile())
	if err != nil || !os.SameFile(ours, current) {
		file.Close()
		return nil, nil
	}
	return &lock{file}, nil
}

// release lets the next one in; the kernel does the same when we die.
func (l *lock) release() { l.file.Close() }

// removeFolder takes the lock file and the folder away, if nothing else is in it.
func (l *lock) removeFolder(c cluster) error {
	if err := os.Remove(c.lockFile()); err != nil {
		return err
	}
	err := os.Remove(c.dir)
	if errors.Is(err, unix.ENOTEMPTY) || errors.Is(err, unix.EEXIST) {
		return nil // the folder holds something that is not ours
	}
	return err
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(d):
		return nil
	}
}
