;; Answers, and loops when it should clean up.
;; call: render
;; expect: plugin.limit.time plugin.limit.fuel
(func (export "@render") (param i32) (result i32) i32.const 64)
(func (export "@post-render") (param i32) (loop $again br $again))
