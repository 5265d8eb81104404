package stages

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

const stageText = `
kind: Stage
metadata: {name: NAME}
spec:
  selector:
    matchExpressions:
    - {key: .status.phase, operator: In, values: [Pending]}
`

// folder holds stages like KWOK's own, by name.
func folder(t *testing.T, names ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range names {
		text := strings.ReplaceAll(stageText, "NAME", name)
		if err := os.WriteFile(filepath.Join(dir, name+".yaml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// documents reads a file of several stages, by name.
func documents(t *testing.T, text []byte) map[string]map[string]any {
	t.Helper()
	found := map[string]map[string]any{}
	for _, document := range strings.Split(string(text), "\n---\n") {
		var stage map[string]any
		if err := yaml.UnmarshalStrict([]byte(document), &stage); err != nil {
			t.Fatalf("%v in\n%s", err, document)
		}
		name, _ := stage["metadata"].(map[string]any)["name"].(string)
		if name == "" || found[name] != nil {
			t.Fatalf("no name, or one twice, in\n%s", document)
		}
		found[name] = stage
	}
	return found
}

func TestStagesOfKWOKLeaveFailingPodsAlone(t *testing.T) {
	text, err := File(folder(t, "node-initialize", "pod-ready", "pod-complete", "pod-delete"))
	if err != nil {
		t.Fatal(err)
	}
	all := documents(t, text)
	for name, wanted := range map[string]struct {
		expressions int
		delayed     bool
	}{
		"node-initialize": {1, false},
		"pod-ready":       {2, true},
		"pod-complete":    {2, true},
		"pod-delete":      {1, true},
	} {
		spec := all[name]["spec"].(map[string]any)
		expressions := spec["selector"].(map[string]any)["matchExpressions"].([]any)
		_, delayed := spec["delay"]
		if len(expressions) != wanted.expressions || delayed != wanted.delayed {
			t.Errorf("%s has %d expressions; a delay: %v", name, len(expressions), delayed)
		}
	}
}

func TestAMissingStageIsNoticed(t *testing.T) {
	if _, err := File(folder(t, "pod-ready", "pod-delete")); err == nil {
		t.Error("KWOK without pod-complete is accepted")
	}
}

// A failing pod must match nothing but its own stage, which must let it go when
// it is deleted: KWOK picks at random among the stages that match.
func TestFailingStagesAreKeyedOnTheLabel(t *testing.T) {
	text, err := File(folder(t, "pod-ready", "pod-complete", "pod-delete"))
	if err != nil {
		t.Fatal(err)
	}
	failing := 0
	for name, stage := range documents(t, text) {
		if !strings.HasPrefix(name, "fail-") {
			continue
		}
		failing++
		selector := stage["spec"].(map[string]any)["selector"].(map[string]any)
		label, _ := selector["matchLabels"].(map[string]any)[failLabel].(string)
		if label == "" || label == failHang || !strings.HasPrefix(name, "fail-"+label) {
			t.Errorf("%s is keyed on %q", name, label)
		}
		expressions, err := yaml.Marshal(selector["matchExpressions"])
		if err != nil || !strings.Contains(string(expressions), "deletionTimestamp") {
			t.Errorf("%s matches pods that are being deleted", name)
		}
	}
	if failing < 5 {
		t.Errorf("only %d failing stages", failing)
	}
}
