;; Loops in `check`.
;; call: check
;; expect: plugin.limit.time plugin.limit.fuel
(func (export "@check") (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32) (loop $again br $again) unreachable)
