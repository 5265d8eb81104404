;; Replies with a manifest of two documents.
;; call: render
;; expect: plugin.bad-reply
(func (export "@render") (param i32) (result i32)
  (i32.store (i32.const 68) (i32.const 1024)) (i32.store (i32.const 72) (i32.const 1)) (i32.store (i32.const 1024) (i32.const 2048)) (i32.store (i32.const 1028) (i32.const 1)) (i32.store (i32.const 1040) (i32.const 2056)) (i32.store (i32.const 1044) (i32.const 5))
  i32.const 64)
(data (i32.const 2048) "s")
(data (i32.const 2056) "{} {}")
