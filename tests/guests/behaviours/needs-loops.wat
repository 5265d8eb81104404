;; Loops in `needs`.
;; call: needs
;; expect: plugin.limit.time plugin.limit.fuel
(func (export "@needs") (param i32) (result i32) (loop $again br $again) unreachable)
