;; Traps in its allocator.
;; call: check
;; expect: plugin.trap
(func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) unreachable)
