// Package wit_types holds the generic types that the generated bindings use.
package wit_types

const (
	OptionNone = 0
	OptionSome = 1
	ResultOk   = 0
	ResultErr  = 1
)

// Unit is nothing.
type Unit struct{}

// Option is a value, or none.
type Option[T any] struct{ some *T }

// Some is a value.
func Some[T any](value T) Option[T] { return Option[T]{&value} }

// None is no value.
func None[T any]() Option[T] { return Option[T]{} }

// Tag tells which of the two it is.
func (o Option[T]) Tag() uint8 {
	if o.some == nil {
		return OptionNone
	}
	return OptionSome
}

// Some is the value; only where there is one.
func (o Option[T]) Some() T { return *o.some }

// Or is the value, or this one.
func (o Option[T]) Or(other T) T {
	if o.some == nil {
		return other
	}
	return *o.some
}

// Result is a value, or why there is none.
type Result[T, E any] struct {
	ok  *T
	err *E
}

// Ok is a value.
func Ok[T, E any](value T) Result[T, E] { return Result[T, E]{ok: &value} }

// Err is why there is none.
func Err[T, E any](err E) Result[T, E] { return Result[T, E]{err: &err} }

// Tag tells which of the two it is.
func (r Result[T, E]) Tag() uint8 {
	if r.err != nil {
		return ResultErr
	}
	return ResultOk
}

// Ok is the value; only where there is one.
func (r Result[T, E]) Ok() T { return *r.ok }

// Err is why there is none; only where there is none.
func (r Result[T, E]) Err() E { return *r.err }
