// A cluster on disk: where its files lie, and the record of what was started.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"sheave.dev/tests/cluster/internal/process"
)

// cluster is a folder. Everything a cluster writes lies beneath it.
type cluster struct{ dir string }

func (c cluster) path(elem ...string) string {
	return filepath.Join(append([]string{c.dir}, elem...)...)
}

func (c cluster) recordFile() string     { return c.path("cluster.json") }
func (c cluster) lockFile() string       { return c.path("cluster.lock") }
func (c cluster) kubeconfig() string     { return c.path("kubeconfig") }
func (c cluster) auditLog() string       { return c.path("audit.log") }
func (c cluster) log(part string) string { return c.path("logs", part+".log") }

// readyFile is written by a part of ours once it does its work.
func (c cluster) readyFile(part string) string { return c.path("run", part+".ready") }

// contents is every name a cluster makes at the top of its folder. `down`
// removes these and nothing else, whatever folder it is given by mistake.
var contents = []string{
	"auth", "certs", "config", "etcd", "home", "logs", "run", "tmp", "volumes",
	"audit.log", "kubeconfig", "cluster.json",
}

// record is what cluster.json holds: enough to check on the cluster, and to end
// its processes and no others.
type record struct {
	Name      string            `json:"name"`
	Revision  string            `json:"revision"`
	Server    string            `json:"server"`
	Started   time.Time         `json:"started"`
	Ready     bool              `json:"ready"`
	Processes []process.Process `json:"processes"`
}

var errNoCluster = errors.New("no cluster here")

func (c cluster) load() (*record, error) {
	text, err := os.ReadFile(c.recordFile())
	if errors.Is(err, os.ErrNotExist) {
		return nil, errNoCluster
	}
	if err != nil {
		return nil, err
	}
	rec := new(record)
	if err := json.Unmarshal(text, rec); err != nil {
		return nil, fmt.Errorf("%s: %w", c.recordFile(), err)
	}
	return rec, nil
}

// save replaces the record in one step, so that a reader or a crash never meets
// half of it.
func (c cluster) save(rec *record) error {
	text, err := json.MarshalIndent(rec, "", "  ")
	if err != nil {
		return err
	}
	return writeAtomically(c.recordFile(), append(text, '\n'))
}

func writeAtomically(path string, text []byte) error {
	temporary := path + ".new"
	if err := os.WriteFile(temporary, text, 0o600); err != nil {
		return err
	}
	return os.Rename(temporary, path)
}

// foreign refuses a folder that holds files but no cluster of ours.
func (c cluster) foreign() error {
	if _, err := os.Stat(c.recordFile()); err == nil {
		return nil
	}
	entries, err := os.ReadDir(c.dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if entry.Name() != filepath.Base(c.lockFile()) {
			return fmt.Errorf("%s holds files but no cluster; give --dir a folder of its own", c.dir)
		}
	}
	return nil
}

// remove deletes the cluster's data. The record goes last: as long as anything
// is left, another `down` can find it.
func (c cluster) remove() error {
	for _, name := range contents {
		if err := os.RemoveAll(c.path(name)); err != nil {
			return err
		}
	}
	return nil
}
