;; Describes a type whose name is an escape sequence.
;; call: describe
;; expect: plugin.bad-reply
(func (export "@describe") (result i32)
  (i32.store (i32.const 64) (i32.const 4096)) (i32.store (i32.const 68) (i32.const 1)) (i32.store (i32.const 4096) (i32.const 2048)) (i32.store (i32.const 4100) (i32.const 4))
  i32.const 64)
(data (i32.const 2048) "\1b[2J")
