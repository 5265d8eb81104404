package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestVersionFlags(t *testing.T) {
	flags, err := versionFlags("v1.36.3")
	if err != nil {
		t.Fatal(err)
	}
	for _, wanted := range []string{
		"-X k8s.io/component-base/version.gitVersion=v1.36.3",
		"-X k8s.io/component-base/version.gitMajor=1 ",
		"-X k8s.io/component-base/version.gitMinor=36 ",
		"-X k8s.io/client-go/pkg/version.gitVersion=v1.36.3",
	} {
		if !strings.Contains(flags, wanted) {
			t.Errorf("%s is missing in %s", wanted, flags)
		}
	}
	for _, broken := range []string{"", "v1", "v1.36"} {
		if _, err := versionFlags(broken); err == nil {
			t.Errorf("%q is a version", broken)
		}
	}
}

func TestInside(t *testing.T) {
	for path, wanted := range map[string]bool{
		"/a/b": true, "/a/b/c": true, "/a": false, "/a/bc": false, "/x": false, "/a/b/..c": true,
	} {
		if inside("/a/b", path) != wanted {
			t.Errorf("%s in /a/b: not %v", path, wanted)
		}
	}
}

func TestTheDigestFollowsWhatIsBuiltAndNothingElse(t *testing.T) {
	dir := t.TempDir()
	digest := func(change, text string) string {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, change), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		digest, err := sourceDigest(dir)
		if err != nil {
			t.Fatal(err)
		}
		return digest
	}
	first := digest("main.go", "package main")
	if digest("README.md", "x") != first || digest("main_test.go", "package main") != first {
		t.Error("a text or a test changes the digest")
	}
	second := digest("stage.yaml", "x")
	if second == first || digest("main.go", "package main // x") == second {
		t.Error("a change goes unnoticed")
	}
}

func TestCopyStages(t *testing.T) {
	kwok, out := t.TempDir(), filepath.Join(t.TempDir(), "stages")
	write := func(path, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := copyStages(kwok, out); err == nil {
		t.Error("a KWOK without stages is accepted")
	}
	for _, folder := range stageFolders {
		name := strings.ReplaceAll(folder, "/", "-")
		write(filepath.Join(kwok, "kustomize/stage", folder, name+".yaml"), "kind: Stage")
		write(filepath.Join(kwok, "kustomize/stage", folder, "kustomization.yaml"), "kind: Kustomization")
	}
	write(filepath.Join(out, "old.yaml"), "kind: Stage")
	if err := copyStages(kwok, out); err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(out)
	if err != nil || len(files) != len(stageFolders) {
		t.Errorf("%v, %v", files, err)
	}
}
