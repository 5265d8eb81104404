;; Replies with a failure of no kind.
;; call: render
;; expect: plugin.bad-reply plugin.trap
(func (export "@render") (param i32) (result i32)
  (i32.store8 (i32.const 64) (i32.const 1)) (i32.store8 (i32.const 68) (i32.const 99))
  i32.const 64)
