// Package emitter is for types that turn properties into Kubernetes objects, which the host applies.
//
// Everything here is pure: the same properties give the same objects, byte for byte.
package emitter

import (
	"encoding/json"
	"reflect"

	"sheave"
	"sheave/internal/core"
)

// Object is one desired object.
type Object struct {
	// Slot is stable within the instance: a rename or a diff is keyed by it.
	Slot string
	// Manifest is the object; metadata.namespace is left out for the host to fill in.
	Manifest sheave.M
	// Target is another target of the blueprint, by its name there; empty: the resource's own.
	Target string
	// After are slots that must be ready first.
	After []string
	// ReadyWhen is CEL over self; empty: the host's rule for the kind.
	ReadyWhen string
	// RestartOn are slots whose content restarts this object's pods.
	RestartOn []string
}

// Lookup is a live object that rendering wants to see.
type Lookup struct {
	Target, APIVersion, Kind, Namespace, Name string
}

// Live are live objects by slot, secrets masked; nil where one does not exist.
type Live map[string]sheave.M

// Observation is what the live objects say.
type Observation[O any] struct {
	Ready   bool
	Reason  string
	Outputs O
}

// Ready says that it works.
func Ready[O any](outputs O) Observation[O] { return Observation[O]{Ready: true, Outputs: outputs} }

// Waiting says that it does not work yet, and why.
func Waiting[O any](reason string, outputs O) Observation[O] {
	return Observation[O]{Reason: reason, Outputs: outputs}
}

// Type is a type whose properties P and outputs O are structs. The schema is made of them: the tag json names a field,
// doc describes it, default, min and max say what they say, and sheave holds keywords of the interface without their x-
// (immutable, sensitive, identity, stable). A field with a default, of a pointer's type or with omitempty is optional.
type Type[P, O any] struct {
	// Name is the name in plugin:Name.
	Name string
	// Summary is one line for people.
	Summary string
	// Version is that of the stored state; 0 is 1.
	Version uint32
	// Check has rules across fields, which the schema cannot say; may be nil.
	Check func(cx *sheave.Context, props P) []sheave.Diagnostic
	// Needs names live objects to look at before rendering; may be nil.
	Needs func(cx *sheave.Context, props P, found Live) ([]Lookup, error)
	// Render gives the desired objects.
	Render func(cx *sheave.Context, props P, found Live) ([]Object, error)
	// Observe tells what the live objects say.
	Observe func(cx *sheave.Context, props P, live Live) (Observation[O], error)
}

// Register makes the plugin have a type; call it in an init function.
func Register[P, O any](t Type[P, O]) {
	if t.Version == 0 {
		t.Version = 1
	}
	types = append(types, typed[P, O]{t})
}

var types []kind

// kind is a type in terms of JSON.
type kind interface {
	describe() (name, summary string, version uint32)
	schema() sheave.M
	check(cx *sheave.Context, props string) ([]sheave.Diagnostic, error)
	needs(cx *sheave.Context, props string, found Live) ([]Lookup, error)
	render(cx *sheave.Context, props string, found Live) ([]Object, error)
	observe(cx *sheave.Context, props string, live Live) (Observation[json.RawMessage], error)
}

type typed[P, O any] struct{ Type[P, O] }

func (t typed[P, O]) describe() (string, string, uint32) { return t.Name, t.Summary, t.Version }

func (t typed[P, O]) schema() sheave.M {
	return core.Schema(reflect.TypeFor[P](), reflect.TypeFor[O]())
}

func (t typed[P, O]) check(cx *sheave.Context, json string) ([]sheave.Diagnostic, error) {
	props, err := read[P](json)
	if err != nil || t.Check == nil {
		return nil, err
	}
	return t.Check(cx, props), nil
}

func (t typed[P, O]) needs(cx *sheave.Context, json string, found Live) ([]Lookup, error) {
	props, err := read[P](json)
	if err != nil || t.Needs == nil {
		return nil, err
	}
	return t.Needs(cx, props, found)
}

func (t typed[P, O]) render(cx *sheave.Context, json string, found Live) ([]Object, error) {
	props, err := read[P](json)
	if err != nil {
		return nil, err
	}
	return t.Render(cx, props, found)
}

func (t typed[P, O]) observe(cx *sheave.Context, props string, live Live) (Observation[json.RawMessage], error) {
	var none Observation[json.RawMessage]
	read, err := read[P](props)
	if err != nil {
		return none, err
	}
	seen, err := t.Observe(cx, read, live)
	if err != nil {
		return none, err
	}
	outputs, err := core.JSON(seen.Outputs)
	return Observation[json.RawMessage]{seen.Ready, seen.Reason, json.RawMessage(outputs)}, err
}

func read[P any](json string) (P, error) {
	props, err := core.Read[P](json)
	if err != nil {
		err = sheave.Invalid(sheave.Fault("sdk.bad-properties", "the properties do not fit the type").Because(err.Error()))
	}
	return props, err
}
