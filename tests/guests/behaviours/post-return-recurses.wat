;; Answers, and calls itself without end when it should clean up.
;; call: render
;; expect: plugin.trap
(func (export "@render") (param i32) (result i32) i32.const 64)
(func $again (param i32) (call $again (local.get 0)))
(func (export "@post-render") (param i32) (call $again (local.get 0)))
