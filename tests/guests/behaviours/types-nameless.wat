;; Describes a type without a name.
;; call: describe
;; expect: plugin.bad-reply
(func (export "@describe") (result i32)
  (i32.store (i32.const 64) (i32.const 4096)) (i32.store (i32.const 68) (i32.const 1))
  i32.const 64)
