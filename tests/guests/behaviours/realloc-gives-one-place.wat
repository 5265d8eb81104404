;; Allocates one place for all: what it was handed lies over itself.
;; call: check
;; expect: ok
(func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) i32.const 4096)
(func (export "@check") (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
  (i32.store (i32.const 68) (i32.const 128)) (i32.store (i32.const 72) (i32.const 2))
  i32.const 64)
(data (i32.const 128) "{}")
