// Package stages says how KWOK plays nodes and pods: by its own stages, with our
// labels taken into account, and then by those here, for pods that shall fail.
package stages

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"sigs.k8s.io/yaml"
)

const (
	// failLabel says how a pod shall fail; a file beside this one belongs to each value.
	failLabel = "sheave.test/fail"
	// failHang is the value that lets a pod become ready and never complete.
	failHang = "hang"
)

//go:embed *.yaml
var failingStages embed.FS

// amendment is what a stage of KWOK's own needs, to leave labelled pods alone
// and to take its time where a label says so.
type amendment struct {
	// only is a jq expression that must be one of the values.
	only   string
	values []string
	// delayLabel is a pod label that holds a duration, like 2s.
	delayLabel string
}

var amendments = map[string]amendment{
	// Unknown values of the label never become ready: a typing error shows.
	"pod-ready": {
		only:       fmt.Sprintf(`.metadata.labels[%q] // %q`, failLabel, failHang),
		values:     []string{failHang},
		delayLabel: "sheave.test/ready-after",
	},
	"pod-complete": {
		only:       fmt.Sprintf(`.metadata.labels[%q] // ""`, failLabel),
		values:     []string{""},
		delayLabel: "sheave.test/complete-after",
	},
	"pod-delete": {delayLabel: "sheave.test/delete-after"},
}

// File puts all stages into one file for KWOK's --config. The folder holds KWOK's own.
func File(dir string) ([]byte, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil {
		return nil, err
	}
	var documents [][]byte
	pending := len(amendments)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		text, amended, err := amend(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		if amended {
			pending--
		}
		documents = append(documents, text)
	}
	if pending != 0 {
		return nil, fmt.Errorf("%s: KWOK's stages are not those that we know how to amend", dir)
	}
	err = fs.WalkDir(failingStages, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := failingStages.ReadFile(path)
		documents = append(documents, text)
		return err
	})
	return bytes.Join(documents, []byte("\n---\n")), err
}

// amend changes one stage, if there is something to change in it.
func amend(text []byte) ([]byte, bool, error) {
	var stage map[string]any
	if err := yaml.Unmarshal(text, &stage); err != nil {
		return nil, false, err
	}
	metadata, _ := stage["metadata"].(map[string]any)
	name, _ := metadata["name"].(string)
	change, known := amendments[name]
	if !known {
		return text, false, nil
	}
	spec, _ := stage["spec"].(map[string]any)
	selector, _ := spec["selector"].(map[string]any)
	if selector == nil {
		return nil, false, errors.New("a stage without a selector")
	}
	if change.only != "" {
		expressions, _ := selector["matchExpressions"].([]any)
		selector["matchExpressions"] = append(expressions, map[string]any{"jq": map[string]any{
			"key": change.only, "operator": "In", "values": change.values,
		}})
	}
	if change.delayLabel != "" {
		spec["delay"] = map[string]any{
			"durationMilliseconds": 0,
			"durationFrom": map[string]any{"jq": map[string]any{
				"expression": fmt.Sprintf(`.metadata.labels[%q]`, change.delayLabel),
			}},
		}
	}
	text, err := yaml.Marshal(stage)
	return text, true, err
}
