;; Loops in its allocator, which the host calls to hand over arguments.
;; call: check
;; expect: plugin.limit.time plugin.limit.fuel
(func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (loop $again br $again) unreachable)
