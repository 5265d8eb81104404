;; Loops in `describe`.
;; call: describe
;; expect: plugin.limit.time plugin.limit.fuel
(func (export "@describe") (result i32) (loop $again br $again) unreachable)
