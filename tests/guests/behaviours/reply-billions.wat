;; Replies with two thousand million objects that lie on each other.
;; call: render
;; expect: plugin.bad-reply plugin.trap plugin.limit.reply plugin.limit.objects
(func (export "@render") (param i32) (result i32)
  (i32.store (i32.const 68) (i32.const 0)) (i32.store (i32.const 72) (i32.const 2147483647))
  i32.const 64)
