// Package provider is for types that create, read, update and delete something by themselves.
package provider

import (
	"encoding/json"
	"reflect"
	"slices"
	"time"

	"sheave"
	"sheave/internal/core"
)

// Resource is a thing that is there.
type Resource[O, S any] struct {
	// ID is its identity outside.
	ID string
	// State is kept by the host and given back.
	State S
	// Outputs are what expressions may read.
	Outputs O
	// Private are the plugin's own bytes, given back untouched.
	Private []byte
}

// Known is what the host knows of a thing.
type Known[S any] struct {
	ID      string
	State   S
	Private []byte
}

// Attempt is one try at a change.
type Attempt struct {
	// Key is the same on every try of one change: the idempotency key.
	Key string
	// Resume is what the last [Pending] said; nil on the first call.
	Resume []byte
}

// Step tells how far a change came: one of [Done], [Gone], [Wait], [Partial].
type Step[O, S any] struct {
	resource *Resource[O, S]
	pending  *Pending
	why      []sheave.Diagnostic
}

// Pending is what to do next, kept durably by the host before it calls again.
type Pending struct {
	// Resume is given back in [Attempt].
	Resume []byte
	// After is how long to wait; zero: not at all.
	After time.Duration
	// Message is for people.
	Message string
	// Percent is 0 to 100, or -1: not known. Zero is not known, too.
	Percent int
}

// Done: it is there as wanted.
func Done[O, S any](r Resource[O, S]) Step[O, S] { return Step[O, S]{resource: &r} }

// Gone: it is there no longer.
func Gone[O, S any]() Step[O, S] { return Step[O, S]{} }

// Wait: not finished; the host calls again.
func Wait[O, S any](p Pending) Step[O, S] { return Step[O, S]{pending: &p} }

// Partial: it is there, but not right; the host stores it as tainted.
func Partial[O, S any](left Resource[O, S], why ...sheave.Diagnostic) Step[O, S] {
	return Step[O, S]{resource: &left, why: append([]sheave.Diagnostic{}, why...)}
}

// Planned is what a change would do.
type Planned struct {
	// Outputs as far as they are known.
	Outputs sheave.M
	// Unknown names the outputs that only apply can tell.
	Unknown []string
	// Replace are pointers of the properties that force a replacement; empty: in place.
	Replace []string
	// Notes are words for the operator.
	Notes []sheave.Diagnostic
}

// Change is a creation or an update that is being planned.
type Change[P, S any] struct {
	// Prior is what there is; nil: it is to be created.
	Prior *Known[S]
	// Props is what is wanted.
	Props                                   P
	schema, priorState, priorOutputs, wants sheave.M
}

// BySchema is what the schema tells: an immutable property that differs from the state's field of the same name forces a
// replacement; outputs are unknown, but those that are stable keep their value where nothing is replaced.
func (c Change[P, S]) BySchema() Planned {
	planned := Planned{Outputs: sheave.M{}, Replace: c.Replaced()}
	outputs, _ := c.schema["x-outputs"].(sheave.M)
	for _, name := range having(outputs, "") {
		value, known := c.priorOutputs[name]
		if known && len(planned.Replace) == 0 && slices.Contains(having(outputs, "x-stable"), name) {
			planned.Outputs[name] = value
		} else {
			planned.Unknown = append(planned.Unknown, name)
		}
	}
	return planned
}

// Replaced are pointers of the immutable properties that differ from the state.
func (c Change[P, S]) Replaced() []string {
	var all []string
	for _, name := range having(c.schema, "x-immutable") {
		if before, there := c.priorState[name]; there && !reflect.DeepEqual(before, c.wants[name]) {
			all = append(all, "/"+name)
		}
	}
	return all
}

// The names of properties that have a keyword, sorted; of all, where none is given.
func having(schema sheave.M, keyword string) []string {
	var names []string
	properties, _ := schema["properties"].(sheave.M)
	for name, inner := range properties {
		if inner, _ := inner.(sheave.M); keyword == "" || inner[keyword] == true {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// Type is a type whose properties P, outputs O and state S are structs; their tags are those of sheave/emitter.
// Check and Plan are pure and run without any grant; the others run with what the operator granted.
type Type[P, O, S any] struct {
	// Name is the name in plugin:Name.
	Name string
	// Summary is one line for people.
	Summary string
	// Version is that of the stored state; 0 is 1.
	Version uint32
	// Check has rules across fields, which the schema cannot say; may be nil.
	Check func(cx *sheave.Context, props P) []sheave.Diagnostic
	// Plan tells what a change would do; nil: [Change.BySchema].
	Plan func(cx *sheave.Context, change Change[P, S]) (Planned, error)
	// Create makes it. Called again with the same key when the host was cut off: what is there already under that key is
	// to be found, not made twice.
	Create func(cx *sheave.Context, props P, try Attempt) (Step[O, S], error)
	// Read gives what there is now; nil: it is gone.
	Read func(cx *sheave.Context, known Known[S]) (*Resource[O, S], error)
	// Update makes it as the properties say.
	Update func(cx *sheave.Context, known Known[S], props P, try Attempt) (Step[O, S], error)
	// Delete deletes it; that it is gone already is no error.
	Delete func(cx *sheave.Context, known Known[S], try Attempt) (Step[O, S], error)
}

// Register makes the plugin have a type; call it in an init function.
func Register[P, O, S any](t Type[P, O, S]) {
	if t.Version == 0 {
		t.Version = 1
	}
	types = append(types, typed[P, O, S]{t})
}

var types []kind

// snapshot is a thing in terms of JSON.
type snapshot struct {
	id, state, outputs string
	private            []byte
}

// step is a [Step] in terms of JSON.
type step struct {
	snapshot *snapshot
	pending  *Pending
	why      []sheave.Diagnostic
}

// kind is a type in terms of JSON.
type kind interface {
	describe() (name, summary string, version uint32)
	schema() sheave.M
	check(cx *sheave.Context, props string) ([]sheave.Diagnostic, error)
	plan(cx *sheave.Context, prior *snapshot, desired string) (Planned, error)
	read(cx *sheave.Context, prior snapshot) (*snapshot, error)
	apply(cx *sheave.Context, prior *snapshot, desired *string, try Attempt) (step, error)
}

type typed[P, O, S any] struct{ Type[P, O, S] }

func (t typed[P, O, S]) describe() (string, string, uint32) { return t.Name, t.Summary, t.Version }

func (t typed[P, O, S]) schema() sheave.M {
	return core.Schema(reflect.TypeFor[P](), reflect.TypeFor[O]())
}

func (t typed[P, O, S]) check(cx *sheave.Context, json string) ([]sheave.Diagnostic, error) {
	props, err := read[P]("sdk.bad-properties", json)
	if err != nil || t.Check == nil {
		return nil, err
	}
	return t.Check(cx, props), nil
}

func (t typed[P, O, S]) plan(cx *sheave.Context, prior *snapshot, desired string) (Planned, error) {
	props, err := read[P]("sdk.bad-properties", desired)
	if err != nil {
		return Planned{}, err
	}
	change := Change[P, S]{Props: props, schema: t.schema()}
	if err := json.Unmarshal([]byte(desired), &change.wants); err != nil {
		return Planned{}, err
	}
	if prior != nil {
		known, err := known[S](*prior)
		if err != nil {
			return Planned{}, err
		}
		change.Prior = &known
		if err := json.Unmarshal([]byte(prior.state), &change.priorState); err != nil {
			return Planned{}, err
		}
		if err := json.Unmarshal([]byte(prior.outputs), &change.priorOutputs); err != nil {
			return Planned{}, err
		}
	}
	planned := change.BySchema()
	if t.Plan != nil {
		if planned, err = t.Plan(cx, change); err != nil {
			return planned, err
		}
	}
	if planned.Outputs == nil {
		planned.Outputs = sheave.M{}
	}
	outputs, _ := change.schema["x-outputs"].(sheave.M)
	properties, _ := outputs["properties"].(sheave.M)
	for _, name := range planned.Unknown {
		// What will be a text is one already, so that it can travel on as a token.
		planned.Outputs[name] = nil
		if schema, _ := properties[name].(sheave.M); schema["type"] == "string" {
			planned.Outputs[name] = ""
		}
	}
	return planned, nil
}

func (t typed[P, O, S]) read(cx *sheave.Context, prior snapshot) (*snapshot, error) {
	known, err := known[S](prior)
	if err != nil {
		return nil, err
	}
	found, err := t.Read(cx, known)
	if err != nil || found == nil {
		return nil, err
	}
	return snapshotOf(*found)
}

func (t typed[P, O, S]) apply(cx *sheave.Context, prior *snapshot, desired *string, try Attempt) (step, error) {
	came, err := t.carryOut(cx, prior, desired, try)
	if err != nil || came.resource == nil {
		return step{pending: came.pending}, err
	}
	there, err := snapshotOf(*came.resource)
	return step{snapshot: there, why: came.why}, err
}

func (t typed[P, O, S]) carryOut(cx *sheave.Context, prior *snapshot, desired *string, try Attempt) (Step[O, S], error) {
	var there Known[S]
	var props P
	var err error
	if prior != nil {
		if there, err = known[S](*prior); err != nil {
			return Step[O, S]{}, err
		}
	}
	if desired != nil {
		if props, err = read[P]("sdk.bad-properties", *desired); err != nil {
			return Step[O, S]{}, err
		}
	}
	switch {
	case prior == nil && desired == nil:
		return Gone[O, S](), nil
	case prior == nil:
		return t.Create(cx, props, try)
	case desired == nil:
		return t.Delete(cx, there, try)
	default:
		return t.Update(cx, there, props, try)
	}
}

func known[S any](prior snapshot) (Known[S], error) {
	state, err := read[S]("sdk.bad-state", prior.state)
	return Known[S]{prior.id, state, prior.private}, err
}

func snapshotOf[O, S any](r Resource[O, S]) (*snapshot, error) {
	state, err := core.JSON(r.State)
	if err != nil {
		return nil, err
	}
	outputs, err := core.JSON(r.Outputs)
	return &snapshot{r.ID, state, outputs, r.Private}, err
}

func read[T any](code, json string) (T, error) {
	value, err := core.Read[T](json)
	if err != nil {
		err = sheave.Invalid(sheave.Fault(code, "the properties do not fit the type").Because(err.Error()))
	}
	return value, err
}
