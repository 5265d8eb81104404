;; Replies with neither a result nor a failure.
;; call: render
;; expect: plugin.bad-reply plugin.trap
(func (export "@render") (param i32) (result i32)
  (i32.store8 (i32.const 64) (i32.const 7))
  i32.const 64)
