//go:build wasip1

package emitter

import (
	"encoding/json"

	"sheave"
	emit "sheave/internal/bindings/export_sheave_plugin_emit"
	"sheave/internal/bindings/sheave_plugin_emit"
	_ "sheave/internal/bindings/wit_exports_emitter"
	"sheave/internal/core"
	. "sheave/internal/glue"
	"sheave/internal/wit/types"
)

func init() {
	Export(RoleEmits, func() []Described {
		all := make([]Described, 0, len(types))
		for _, t := range types {
			name, summary, version := t.describe()
			all = append(all, Described{name, summary, version, t.schema, t.check})
		}
		return all
	})
	emit.Needs = func(of Instance, props Doc, found []sheave_plugin_emit.Live) wit_types.Result[[]sheave_plugin_emit.Lookup, Failure] {
		return Answer(func() ([]sheave_plugin_emit.Lookup, error) {
			t, cx, live, err := enter(of, props, found)
			if err != nil {
				return nil, err
			}
			wanted, err := t.needs(cx, props.Json, live)
			all := make([]sheave_plugin_emit.Lookup, 0, len(wanted))
			for _, w := range wanted {
				all = append(all, sheave_plugin_emit.Lookup{
					Target: w.Target, ApiVersion: w.APIVersion, Kind: w.Kind, Namespace: Optional(w.Namespace), Name: w.Name,
				})
			}
			return all, err
		})
	}
	emit.Render = func(of Instance, props Doc, found []sheave_plugin_emit.Live) wit_types.Result[[]sheave_plugin_emit.Emitted, Failure] {
		return Answer(func() ([]sheave_plugin_emit.Emitted, error) {
			t, cx, live, err := enter(of, props, found)
			if err != nil {
				return nil, err
			}
			objects, err := t.render(cx, props.Json, live)
			if err != nil {
				return nil, err
			}
			all := make([]sheave_plugin_emit.Emitted, 0, len(objects))
			for _, o := range objects {
				manifest, err := core.JSON(o.Manifest)
				if err != nil {
					return nil, err
				}
				all = append(all, sheave_plugin_emit.Emitted{
					Slot: o.Slot, Target: o.Target, Manifest: Doc{Json: manifest},
					After: o.After, ReadyWhen: Optional(o.ReadyWhen), RestartOn: o.RestartOn,
				})
			}
			return all, nil
		})
	}
	emit.Observe = func(of Instance, props Doc, found []sheave_plugin_emit.Live) wit_types.Result[sheave_plugin_emit.Observation, Failure] {
		return Answer(func() (sheave_plugin_emit.Observation, error) {
			var none sheave_plugin_emit.Observation
			t, cx, live, err := enter(of, props, found)
			if err != nil {
				return none, err
			}
			seen, err := t.observe(cx, props.Json, live)
			if err != nil {
				return none, err
			}
			return sheave_plugin_emit.Observation{Ready: seen.Ready, Reason: seen.Reason, Outputs: Doc{Json: string(seen.Outputs)}}, nil
		})
	}
}

func enter(of Instance, props Doc, found []sheave_plugin_emit.Live) (kind, *sheave.Context, Live, error) {
	live := Live{}
	for _, l := range found {
		live[l.Slot] = nil
		if l.Body.Tag() == wit_types.OptionSome {
			var body sheave.M
			if err := json.Unmarshal([]byte(l.Body.Some().Json), &body); err != nil {
				return nil, nil, nil, err
			}
			live[l.Slot] = body
		}
	}
	for _, t := range types {
		if name, _, _ := t.describe(); name == of.TypeName {
			return t, ContextOf(of, props.Marks), live, nil
		}
	}
	return nil, nil, nil, NoSuchType(of.TypeName)
}
