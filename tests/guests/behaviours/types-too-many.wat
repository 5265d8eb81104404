;; Describes 2,001 types.
;; call: describe
;; expect: plugin.limit.types plugin.bad-reply
(func (export "@describe") (result i32)
  (i32.store (i32.const 64) (i32.const 4096)) (i32.store (i32.const 68) (i32.const 2001))
  i32.const 64)
