//go:build wasip1

package provider

import (
	provide "sheave/internal/bindings/export_sheave_plugin_provide"
	"sheave/internal/bindings/sheave_plugin_provide"
	"sheave/internal/bindings/sheave_plugin_types"
	_ "sheave/internal/bindings/wit_exports_provider"
	"sheave/internal/core"
	. "sheave/internal/glue"
	"sheave/internal/wit/types"
)

func init() {
	Export(RoleProvides, func() []Described {
		all := make([]Described, 0, len(types))
		for _, t := range types {
			name, summary, version := t.describe()
			all = append(all, Described{name, summary, version, t.schema, t.check})
		}
		return all
	})
	provide.Plan = func(what sheave_plugin_provide.Change) wit_types.Result[sheave_plugin_provide.Planned, Failure] {
		return Answer(func() (sheave_plugin_provide.Planned, error) {
			planned := sheave_plugin_provide.Planned{Outputs: Doc{Json: "{}"}}
			t, err := find(what.Of)
			if err != nil || what.Desired.Tag() == wit_types.OptionNone {
				return planned, err
			}
			desired := what.Desired.Some()
			found, err := t.plan(ContextOf(what.Of, desired.Marks), priorOf(what), desired.Json)
			if err != nil {
				return planned, err
			}
			for _, name := range found.Unknown {
				planned.Outputs.Marks = append(planned.Outputs.Marks, Mark{Pointer: "/" + name, Kind: MarkUnknown})
			}
			planned.Replace, planned.Notes = found.Replace, Diagnostics(found.Notes)
			planned.Outputs.Json, err = core.JSON(found.Outputs)
			return planned, err
		})
	}
	provide.Read = func(of Instance, prior Snapshot) wit_types.Result[wit_types.Option[Snapshot], Failure] {
		return Answer(func() (wit_types.Option[Snapshot], error) {
			t, err := find(of)
			if err != nil {
				return wit_types.None[Snapshot](), err
			}
			found, err := t.read(ContextOf(of, nil), knownOf(prior))
			return option(found), err
		})
	}
	provide.Apply = func(what sheave_plugin_provide.Change, _ sheave_plugin_provide.Planned, key string, resume wit_types.Option[[]uint8]) wit_types.Result[sheave_plugin_provide.Step, Failure] {
		return Answer(func() (sheave_plugin_provide.Step, error) {
			t, err := find(what.Of)
			if err != nil {
				return sheave_plugin_provide.Step{}, err
			}
			var desired *string
			var marks []Mark
			if what.Desired.Tag() == wit_types.OptionSome {
				doc := what.Desired.Some()
				desired, marks = &doc.Json, doc.Marks
			}
			came, err := t.apply(ContextOf(what.Of, marks), priorOf(what), desired, Attempt{key, resume.Or(nil)})
			if err != nil {
				return sheave_plugin_provide.Step{}, err
			}
			return stepOf(came), nil
		})
	}
}

func find(of Instance) (kind, error) {
	for _, t := range types {
		if name, _, _ := t.describe(); name == of.TypeName {
			return t, nil
		}
	}
	return nil, NoSuchType(of.TypeName)
}

func priorOf(what sheave_plugin_provide.Change) *snapshot {
	if what.Prior.Tag() == wit_types.OptionNone {
		return nil
	}
	prior := knownOf(what.Prior.Some())
	return &prior
}

func knownOf(s Snapshot) snapshot {
	return snapshot{s.Id, s.State.Json, s.Outputs.Json, s.PrivateData}
}

func option(s *snapshot) wit_types.Option[Snapshot] {
	if s == nil {
		return wit_types.None[Snapshot]()
	}
	return wit_types.Some(of(*s))
}

func of(s snapshot) Snapshot {
	return Snapshot{Id: s.id, State: Doc{Json: s.state}, Outputs: Doc{Json: s.outputs}, PrivateData: s.private}
}

func stepOf(came step) sheave_plugin_provide.Step {
	switch {
	case came.pending != nil:
		percent := wit_types.None[uint8]()
		if came.pending.Percent > 0 {
			percent = wit_types.Some(uint8(min(came.pending.Percent, 100)))
		}
		return sheave_plugin_provide.MakeStepPending(sheave_plugin_provide.Pending{
			Resume: came.pending.Resume, AfterMs: Millis(came.pending.After), Message: came.pending.Message, Percent: percent,
		})
	case came.why != nil:
		return sheave_plugin_provide.MakeStepPartial(sheave_plugin_provide.Tainted{Left: of(*came.snapshot), Why: []sheave_plugin_types.Diagnostic(Diagnostics(came.why))})
	default:
		return sheave_plugin_provide.MakeStepDone(option(came.snapshot))
	}
}
