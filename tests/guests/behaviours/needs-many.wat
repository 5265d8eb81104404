;; Asks for 1,000 live objects, as many as it may.
;; call: needs
;; expect: ok plugin.bad-reply
(func (export "@needs") (param i32) (result i32)
  (i32.store (i32.const 68) (i32.const 4096)) (i32.store (i32.const 72) (i32.const 1000))
  i32.const 64)
