// Package runtime gives the generated bindings their memory. What the host writes is kept from the garbage collector until
// the call that it belongs to has read it.
package runtime

import (
	"runtime"
	"unsafe"
)

var held runtime.Pinner

// Allocate gives memory that stays where it is as long as the pinner holds it.
func Allocate(pinner *runtime.Pinner, size, align uintptr) unsafe.Pointer {
	if size == 0 {
		return nil
	}
	// Whole words, so that whatever is kept there is aligned: nothing in the interface needs more.
	words := make([]uint64, (size+7)/8)
	pointer := unsafe.Pointer(unsafe.SliceData(words))
	pinner.Pin(pointer)
	return pointer
}

// Unpin lets go of what the host wrote.
func Unpin() { held.Unpin() }
