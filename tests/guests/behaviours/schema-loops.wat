;; Loops in `schema`.
;; call: schema
;; expect: plugin.limit.time plugin.limit.fuel
(func (export "@schema") (param i32 i32) (result i32) (loop $again br $again) unreachable)
