// What the build reads: the modules, KWOK's stages, and the digest of our sources.
package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
)

type module struct{ Version, Dir string }

// findModule asks go where a module of the build lies, downloading it if need be.
func findModule(path string) (module, error) {
	var found module
	// Without the download, go list leaves Dir empty for a module it never fetched.
	download := exec.Command("go", "mod", "download", path)
	download.Stderr = os.Stderr
	if err := download.Run(); err != nil {
		return found, fmt.Errorf("go mod download %s: %w", path, err)
	}
	list := exec.Command("go", "list", "-m", "-json=Version,Dir", path)
	list.Stderr = os.Stderr
	text, err := list.Output()
	if err != nil {
		return found, fmt.Errorf("go list -m %s: %w", path, err)
	}
	if err := json.Unmarshal(text, &found); err != nil {
		return found, fmt.Errorf("go list -m %s: %w", path, err)
	}
	if found.Version == "" || found.Dir == "" {
		return found, fmt.Errorf("%s: %w", path, errNoModule)
	}
	return found, nil
}

// The folders of KWOK's own stages that a cluster uses.
var stageFolders = []string{"node/fast", "node/heartbeat-with-lease", "pod/fast"}

// copyStages lays KWOK's stages beside the binaries, and removes what an earlier
// version of KWOK left there.
func copyStages(kwok, out string) error {
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	var kept []string
	for _, folder := range stageFolders {
		files, err := filepath.Glob(filepath.Join(kwok, "kustomize", "stage", filepath.FromSlash(folder), "*.yaml"))
		if err != nil {
			return err
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			if !bytes.Contains(text, []byte("kind: Stage")) {
				continue // kustomize's own file
			}
			kept = append(kept, filepath.Base(file))
			if err := replace(filepath.Join(out, filepath.Base(file)), text); err != nil {
				return err
			}
		}
	}
	if len(kept) < len(stageFolders) {
		return fmt.Errorf("%s has no stages where they used to be", kwok)
	}
	present, err := os.ReadDir(out)
	if err != nil {
		return err
	}
	for _, entry := range present {
		if !slices.Contains(kept, entry.Name()) {
			if err := os.Remove(filepath.Join(out, entry.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

// replace writes a file in one step, unless it already holds the text.
func replace(path string, text []byte) error {
	if present, err := os.ReadFile(path); err == nil && bytes.Equal(present, text) {
		return nil
	}
	temporary := path + ".new"
	if err := os.WriteFile(temporary, text, 0o644); err != nil {
		return err
	}
	return os.Rename(temporary, path)
}

// sourceDigest names the state of everything that goes into the binaries: a
// cluster that was started from another state is started again by `up`.
func sourceDigest(dir string) (string, error) {
	digest := sha256.New()
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !counts(entry.Name()) {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(dir, path)
		fmt.Fprintf(digest, "%s %d\n", filepath.ToSlash(relative), len(text))
		digest.Write(text)
		return err
	})
	return hex.EncodeToString(digest.Sum(nil))[:16], err
}

// counts says whether a file goes into the binaries.
func counts(name string) bool {
	if test, _ := filepath.Match("*_test.go", name); test {
		return false
	}
	return slices.Contains([]string{".go", ".yaml", ".mod", ".sum"}, filepath.Ext(name))
}
