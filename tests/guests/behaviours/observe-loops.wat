;; Loops in `observe`.
;; call: observe
;; expect: plugin.limit.time plugin.limit.fuel
(func (export "@observe") (param i32) (result i32) (loop $again br $again) unreachable)
