;; Replies with a list where no list may begin.
;; call: render
;; expect: plugin.bad-reply plugin.trap
(func (export "@render") (param i32) (result i32)
  (i32.store (i32.const 68) (i32.const 131)) (i32.store (i32.const 72) (i32.const 1))
  i32.const 64)
