//go:build wasip1

// Package glue stands between the SDK's words and those of the interface.
package glue

import (
	"fmt"
	"runtime/debug"
	"time"

	"sheave"
	model "sheave/internal/bindings/export_sheave_plugin_model"
	"sheave/internal/bindings/sheave_plugin_log"
	"sheave/internal/bindings/sheave_plugin_model"
	"sheave/internal/bindings/sheave_plugin_types"
	"sheave/internal/core"
	"sheave/internal/wit/types"
)

type (
	Doc      = sheave_plugin_types.Doc
	Failure  = sheave_plugin_types.Failure
	Instance = sheave_plugin_types.Instance
	Mark     = sheave_plugin_types.Mark
	Snapshot = sheave_plugin_types.Snapshot
)

const (
	RoleEmits    = sheave_plugin_model.RoleEmits
	RoleProvides = sheave_plugin_model.RoleProvides
	MarkUnknown  = sheave_plugin_types.MarkKindUnknown
)

// Described is what every type has.
type Described struct {
	Name, Summary string
	Version       uint32
	Schema        func() sheave.M
	Check         func(cx *sheave.Context, props string) ([]sheave.Diagnostic, error)
}

func init() {
	core.Log = func(level uint8, message string, fields [][2]string) {
		all := make([]sheave_plugin_log.Field, 0, len(fields))
		for _, f := range fields {
			all = append(all, sheave_plugin_log.Field{Name: f[0], Value: f[1]})
		}
		sheave_plugin_log.Log(level, message, all)
	}
}

// Export sets what emitters and providers answer alike.
func Export(role uint8, types func() []Described) {
	find := func(name string) (Described, error) {
		for _, t := range types() {
			if t.Name == name {
				return t, nil
			}
		}
		return Described{}, NoSuchType(name)
	}
	model.Describe = func() []sheave_plugin_model.TypeInfo {
		var all []sheave_plugin_model.TypeInfo
		for _, t := range types() {
			all = append(all, sheave_plugin_model.TypeInfo{Name: t.Name, Role: role, SchemaVersion: t.Version, Summary: t.Summary})
		}
		return all
	}
	model.SettingsSchema = wit_types.None[string]
	model.Schema = func(name string) wit_types.Result[string, Failure] {
		return Answer(func() (string, error) {
			t, err := find(name)
			if err != nil {
				return "", err
			}
			return core.JSON(t.Schema())
		})
	}
	model.Check = func(of Instance, props Doc) wit_types.Result[Doc, Failure] {
		return Answer(func() (Doc, error) {
			t, err := find(of.TypeName)
			if err != nil {
				return props, err
			}
			found, err := t.Check(ContextOf(of, props.Marks), props.Json)
			if err != nil {
				return props, err
			}
			for _, d := range found {
				if d.Severity == sheave.SeverityError {
					return props, sheave.Invalid(found...)
				}
			}
			for _, d := range found {
				core.Log(2, d.Summary, [][2]string{{"code", d.Code}, {"detail", d.Detail}})
			}
			return props, nil
		})
	}
	model.Upgrade = func(of Instance, version uint32, state Doc) wit_types.Result[Doc, Failure] {
		return Answer(func() (Doc, error) {
			t, err := find(of.TypeName)
			if err == nil && version != t.Version {
				why := sheave.Fault("sdk.no-upgrade", fmt.Sprintf("state of version %d cannot be read", version))
				err = sheave.Failed(why.Because(fmt.Sprintf("this plugin stores version %d", t.Version)))
			}
			return state, err
		})
	}
}

// Answer is what a function gave, a panic among its errors.
func Answer[T any](call func() (T, error)) (result wit_types.Result[T, Failure]) {
	defer func() {
		if why := recover(); why != nil {
			core.Log(3, fmt.Sprintf("panic: %v", why), [][2]string{{"stack", string(debug.Stack())}})
			fault := sheave.Failed(sheave.Fault("sdk.panic", fmt.Sprintf("the plugin panicked: %v", why)))
			result = wit_types.Err[T, Failure](FailureOf(fault))
		}
	}()
	value, err := call()
	if err != nil {
		return wit_types.Err[T, Failure](FailureOf(err))
	}
	return wit_types.Ok[T, Failure](value)
}

// NoSuchType is the answer about a type that is not there.
func NoSuchType(name string) error {
	return sheave.Failed(sheave.Fault("sdk.unknown-type", fmt.Sprintf("the plugin has no type `%s`", name)))
}

// ContextOf is what a call is about.
func ContextOf(of Instance, marks []Mark) *sheave.Context {
	cx := &sheave.Context{Type: of.TypeName, Name: of.Name, Stack: of.Stack, RawSettings: of.Settings.Json}
	for _, m := range marks {
		if m.Kind == MarkUnknown {
			cx.Unknown = append(cx.Unknown, m.Pointer)
		} else {
			cx.Secret = append(cx.Secret, m.Pointer)
		}
	}
	return cx
}

// FailureOf is an error in the interface's words.
func FailureOf(err error) Failure {
	f, is := err.(*sheave.Failure)
	if !is {
		f = &sheave.Failure{Kind: sheave.KindOther, Diagnostics: []sheave.Diagnostic{sheave.Fault("sdk.error", err.Error())}}
	}
	all := Diagnostics(f.Diagnostics)
	if f.Kind != sheave.KindInvalid && len(all) == 0 {
		all = Diagnostics([]sheave.Diagnostic{sheave.Fault("sdk.error", "no reason was given")})
	}
	switch f.Kind {
	case sheave.KindInvalid:
		return sheave_plugin_types.MakeFailureInvalid(all)
	case sheave.KindNotFound:
		return sheave_plugin_types.MakeFailureNotFound()
	case sheave.KindDenied:
		return sheave_plugin_types.MakeFailureDenied(all[0])
	case sheave.KindConflict:
		return sheave_plugin_types.MakeFailureConflict(all[0])
	case sheave.KindRetry:
		return sheave_plugin_types.MakeFailureRetry(sheave_plugin_types.RetryHint{AfterMs: Millis(f.After), Why: all[0]})
	default:
		return sheave_plugin_types.MakeFailureOther(all[0])
	}
}

// Millis is a time as the interface wants it.
func Millis(d time.Duration) uint32 { return uint32(max(0, min(d.Milliseconds(), 1<<32-1))) }

// Diagnostics are diagnostics in the interface's words.
func Diagnostics(found []sheave.Diagnostic) []sheave_plugin_types.Diagnostic {
	all := make([]sheave_plugin_types.Diagnostic, 0, len(found))
	for _, d := range found {
		all = append(all, sheave_plugin_types.Diagnostic{
			Severity: uint8(d.Severity), Code: d.Code, Summary: d.Summary, Detail: d.Detail, Pointer: Optional(d.Pointer),
		})
	}
	return all
}

// Optional is a text, or none where it is empty.
func Optional(text string) wit_types.Option[string] {
	if text == "" {
		return wit_types.None[string]()
	}
	return wit_types.Some(text)
}
