// A plugin with one type: a note, kept with the stack's state. A real one would keep it in some service.
package main

import (
	"strings"

	"sheave"
	"sheave/provider"
)

// Props is what a blueprint writes.
type Props struct {
	Title string `json:"title" doc:"What the note is called; another title is another note." sheave:"immutable,identity"`
	Text  string `json:"text" doc:"What it says."`
}

// Outputs are what other resources can read.
type Outputs struct {
	Title string `json:"title" doc:"What the note is called." sheave:"stable"`
	Lines int    `json:"lines" doc:"How many lines it has."`
}

// State is what the plugin wants to know of a note later.
type State struct {
	Title string `json:"title"`
	Text  string `json:"text"`
}

type (
	resource = provider.Resource[Outputs, State]
	step     = provider.Step[Outputs, State]
)

func init() {
	provider.Register(provider.Type[Props, Outputs, State]{
		Name:    "Note",
		Summary: "a note",
		Check:   check,
		Plan:    plan,
		Create:  create,
		Read:    read,
		Update:  update,
		Delete:  remove,
	})
}

func check(cx *sheave.Context, _ Props) []sheave.Diagnostic {
	if !cx.IsSecret("/text") {
		return nil
	}
	why := sheave.Fault("notebook.secret-text", "a note cannot keep a secret").At("/text")
	return []sheave.Diagnostic{why.Because("the plugin never sees it, and would keep a placeholder")}
}

func plan(cx *sheave.Context, change provider.Change[Props, State]) (provider.Planned, error) {
	planned := provider.Planned{Outputs: sheave.M{"title": change.Props.Title}, Replace: change.Replaced()}
	if cx.IsUnknown("/text") {
		planned.Unknown = []string{"lines"}
	} else {
		planned.Outputs["lines"] = lines(change.Props.Text)
	}
	return planned, nil
}

func create(_ *sheave.Context, props Props, try provider.Attempt) (step, error) {
	if try.Resume == nil {
		// Work that takes long is done in pieces: the host keeps `Resume`, and calls again.
		return provider.Wait[Outputs, State](provider.Pending{Resume: []byte("drafted"), Message: "drafted", Percent: 50}), nil
	}
	return provider.Done(note(props)), nil
}

func read(_ *sheave.Context, known provider.Known[State]) (*resource, error) {
	there := note(Props(known.State))
	return &there, nil
}

func update(_ *sheave.Context, _ provider.Known[State], props Props, _ provider.Attempt) (step, error) {
	return provider.Done(note(props)), nil
}

func remove(*sheave.Context, provider.Known[State], provider.Attempt) (step, error) {
	return provider.Gone[Outputs, State](), nil
}

func note(props Props) resource {
	return resource{
		ID:      sheave.Label(props.Title),
		State:   State(props),
		Outputs: Outputs{Title: props.Title, Lines: lines(props.Text)},
	}
}

func lines(text string) int { return strings.Count(text, "\n") + 1 }

func main() {}
