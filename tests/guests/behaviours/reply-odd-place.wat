;; Replies with a place where nothing may stand.
;; call: render
;; expect: plugin.bad-reply plugin.trap
(func (export "@render") (param i32) (result i32)

  i32.const 65)
