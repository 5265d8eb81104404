;; Loops in `upgrade`.
;; call: upgrade
;; expect: plugin.limit.time plugin.limit.fuel
(func (export "@upgrade") (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32) (loop $again br $again) unreachable)
