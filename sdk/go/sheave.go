// Package sheave is for authors of Sheave plugins in Go: see sheave/emitter for types that turn properties into Kubernetes
// objects, and sheave/provider for types that create, read, update and delete something by themselves.
//
// A text that the plugin may not see, secret or known only after apply, is a token: a text like any other, that may be
// placed whole or inside a longer text. The host finds it again and puts the value in. To take one apart or to hash it is
// refused; [Context.HasToken] tells where one stands.
package sheave

import (
	"encoding/json"
	"strings"
	"time"
)

// M is a JSON object.
type M = map[string]any

// L is a JSON array.
type L = []any

// Context is what a call is about.
type Context struct {
	// Type is the type's name, as the plugin describes it.
	Type string
	// Name is the resource's address in its blueprint: web, web[2], db.primary["eu"].
	Name string
	// Stack is the stack's name.
	Stack string
	// Unknown and Secret are the pointers (RFC 6901) of the properties that hold tokens.
	Unknown, Secret []string
	// RawSettings are the plugin's settings from the blueprint, as JSON.
	RawSettings string
}

// Settings reads the plugin's settings from the blueprint.
func (cx *Context) Settings(into any) error {
	if cx.RawSettings == "" {
		return nil
	}
	return json.Unmarshal([]byte(cx.RawSettings), into)
}

// IsUnknown tells whether the leaf at this pointer is known only after apply: it holds a token now.
func (cx *Context) IsUnknown(pointer string) bool { return has(cx.Unknown, pointer) }

// IsSecret tells whether the leaf at this pointer is secret: it holds a token, here and always.
func (cx *Context) IsSecret(pointer string) bool { return has(cx.Secret, pointer) }

// HasToken tells whether a token stands at this pointer, or beneath it.
func (cx *Context) HasToken(pointer string) bool {
	for _, marked := range append(append([]string{}, cx.Unknown...), cx.Secret...) {
		if marked == pointer || strings.HasPrefix(marked, pointer+"/") {
			return true
		}
	}
	return false
}

func has(all []string, pointer string) bool {
	for _, one := range all {
		if one == pointer {
			return true
		}
	}
	return false
}

// Severity says how bad a diagnostic is.
type Severity uint8

// The severities.
const (
	SeverityError Severity = iota
	SeverityWarning
	SeverityNote
)

// Diagnostic is a plugin's word on a fault.
type Diagnostic struct {
	Severity Severity
	// Code is dotted and stable, with the plugin's name before the dot: page.too-many.
	Code string
	// Summary is one sentence in lower case without a full stop.
	Summary string
	// Detail is what to do about it; may be empty.
	Detail string
	// Pointer is where in the properties, RFC 6901; may be empty.
	Pointer string
}

// Fault is an error that a diagnostic describes.
func Fault(code, summary string) Diagnostic { return Diagnostic{Code: code, Summary: summary} }

// Warning is a diagnostic that stops nothing.
func Warning(code, summary string) Diagnostic {
	return Diagnostic{Severity: SeverityWarning, Code: code, Summary: summary}
}

// At says where in the properties.
func (d Diagnostic) At(pointer string) Diagnostic { d.Pointer = pointer; return d }

// Because adds what to do about it.
func (d Diagnostic) Because(detail string) Diagnostic { d.Detail = detail; return d }

// Kind tells what sort of failure it is.
type Kind uint8

// The kinds of failures.
const (
	KindInvalid Kind = iota
	KindNotFound
	KindDenied
	KindConflict
	KindRetry
	KindOther
)

// Failure is an error with a kind and diagnostics. Any other error that a plugin returns becomes one of [KindOther].
type Failure struct {
	Kind        Kind
	Diagnostics []Diagnostic
	// After is how long to wait, of [KindRetry].
	After time.Duration
}

// Error says the first diagnostic.
func (f *Failure) Error() string {
	if len(f.Diagnostics) == 0 {
		return "not found"
	}
	return f.Diagnostics[0].Summary
}

// Invalid: the properties are at fault.
func Invalid(why ...Diagnostic) error { return &Failure{Kind: KindInvalid, Diagnostics: why} }

// NotFound: there is no such thing.
func NotFound() error { return &Failure{Kind: KindNotFound} }

// Denied: the grant that is missing, or whatever else refused.
func Denied(why Diagnostic) error { return &Failure{Kind: KindDenied, Diagnostics: []Diagnostic{why}} }

// Conflict: something in the way belongs to somebody else.
func Conflict(why Diagnostic) error {
	return &Failure{Kind: KindConflict, Diagnostics: []Diagnostic{why}}
}

// Retry: worth trying again after some time.
func Retry(after time.Duration, why Diagnostic) error {
	return &Failure{Kind: KindRetry, Diagnostics: []Diagnostic{why}, After: after}
}

// Failed: whatever has no better name.
func Failed(why Diagnostic) error { return &Failure{Kind: KindOther, Diagnostics: []Diagnostic{why}} }
