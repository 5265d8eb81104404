;; Allocates the last byte of its memory for whatever is asked.
;; call: check
;; expect: plugin.trap plugin.bad-reply
(func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) i32.const 131071)
