//go:build wasip1

package runtime

import "unsafe"

// The host calls this for what it passes; it never asks for more room for what is there.
//
//go:wasmexport cabi_realloc
func realloc(old unsafe.Pointer, oldSize, align, size uintptr) unsafe.Pointer {
	if old != nil || oldSize != 0 {
		panic("memory that the host wrote does not grow")
	}
	return Allocate(&held, size, align)
}
