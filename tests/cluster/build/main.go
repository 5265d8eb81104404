// Command build makes everything that a test cluster needs: sheave-cluster,
// kubectl and kwok, with KWOK's own stages beside them. Go's cache makes a second
// run quick. Run it in the module's folder: go run ./build -out DIR
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

func main() {
	out := flag.String("out", "", "the folder for the binaries, outside this module (needed)")
	flag.Parse()
	if *out == "" || flag.NArg() != 0 {
		flag.Usage()
		os.Exit(2)
	}
	if err := build(*out); err != nil {
		fmt.Fprintln(os.Stderr, "build:", err)
		os.Exit(1)
	}
}

func build(out string) error {
	out, err := filepath.Abs(out)
	if err != nil {
		return err
	}
	source, err := os.Getwd()
	if err != nil {
		return err
	}
	if inside(source, out) {
		return fmt.Errorf("%s lies in the source folder", out)
	}
	kubernetes, err := findModule("k8s.io/kubernetes")
	if err != nil {
		return err
	}
	kwok, err := findModule("sigs.k8s.io/kwok")
	if err != nil {
		return err
	}
	revision, err := sourceDigest(source)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	if err := copyStages(kwok.Dir, filepath.Join(out, "kwok-stages")); err != nil {
		return err
	}
	version, err := versionFlags(kubernetes.Version)
	if err != nil {
		return err
	}
	for _, target := range []struct{ name, pkg, flags string }{
		{"sheave-cluster", ".", version + " -X main.revision=" + revision},
		{"kubectl", "./kubectl", version},
		{"kwok", "sigs.k8s.io/kwok/cmd/kwok", "-X sigs.k8s.io/kwok/pkg/consts.Version=" + strings.TrimPrefix(kwok.Version, "v")},
	} {
		if err := compile(filepath.Join(out, target.name), target.pkg, target.flags); err != nil {
			return fmt.Errorf("%s: %w", target.name, err)
		}
	}
	return nil
}

// compile runs go build. Without cgo the binaries need no C compiler to build,
// and no library to run.
func compile(path, pkg, flags string) error {
	began := time.Now()
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w "+flags, "-o", path, pkg)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	if err := cmd.Run(); err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "%s (%.1f s)\n", path, time.Since(began).Seconds())
	return nil
}

// versionFlags tell the binaries which Kubernetes they are, as its own build
// does: clients read the version from the API server.
func versionFlags(version string) (string, error) {
	major, rest, ok := strings.Cut(strings.TrimPrefix(version, "v"), ".")
	minor, _, more := strings.Cut(rest, ".")
	if !ok || !more {
		return "", fmt.Errorf("%q is no version of Kubernetes", version)
	}
	var flags []string
	// component-base is what servers answer, client-go what clients call themselves.
	for _, pkg := range []string{"k8s.io/component-base/version", "k8s.io/client-go/pkg/version"} {
		for _, pair := range [][2]string{
			{"gitVersion", version}, {"gitMajor", major}, {"gitMinor", minor},
			{"gitCommit", "unknown"}, {"gitTreeState", "clean"}, {"buildDate", "1970-01-01T00:00:00Z"},
		} {
			flags = append(flags, "-X "+pkg+"."+pair[0]+"="+pair[1])
		}
	}
	return strings.Join(flags, " "), nil
}

func inside(parent, path string) bool {
	relative, err := filepath.Rel(parent, path)
	return err == nil && relative != ".." && !strings.HasPrefix(relative, ".."+string(filepath.Separator))
}

var errNoModule = errors.New("go list did not name a version and a folder")
