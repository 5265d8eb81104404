;; Replies with a list whose end lies before its beginning.
;; call: render
;; expect: plugin.bad-reply plugin.trap plugin.limit.reply plugin.limit.objects
(func (export "@render") (param i32) (result i32)
  (i32.store (i32.const 68) (i32.const 128)) (i32.store (i32.const 72) (i32.const -1))
  i32.const 64)
