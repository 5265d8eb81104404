;; Loops in `settings-schema`.
;; call: settings-schema
;; expect: plugin.limit.time plugin.limit.fuel
(func (export "@settings-schema") (result i32) (loop $again br $again) unreachable)
