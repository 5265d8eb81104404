;; Replies with a slot of sixty thousand bytes.
;; call: render
;; expect: plugin.bad-reply ok plugin.limit.reply
(func (export "@render") (param i32) (result i32)
  (i32.store (i32.const 68) (i32.const 1024)) (i32.store (i32.const 72) (i32.const 1)) (i32.store (i32.const 1024) (i32.const 65536)) (i32.store (i32.const 1028) (i32.const 60000)) (i32.store (i32.const 1040) (i32.const 2056)) (i32.store (i32.const 1044) (i32.const 2))
  i32.const 64)
(data (i32.const 2048) "s")
(data (i32.const 2056) "{}")
