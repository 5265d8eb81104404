;; Asks for 1,001 live objects.
;; call: needs
;; expect: plugin.limit.lookups plugin.bad-reply
(func (export "@needs") (param i32) (result i32)
  (i32.store (i32.const 68) (i32.const 4096)) (i32.store (i32.const 72) (i32.const 1001))
  i32.const 64)
