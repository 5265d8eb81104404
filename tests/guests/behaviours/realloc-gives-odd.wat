;; Allocates where nothing may stand, for its alignment.
;; call: check
;; expect: plugin.trap plugin.bad-reply
(func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) i32.const 4097)
