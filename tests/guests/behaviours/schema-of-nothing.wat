;; Has a schema that is no JSON.
;; call: schema
;; expect: plugin.bad-reply
(func (export "@schema") (param i32 i32) (result i32)
  (i32.store (i32.const 68) (i32.const 2048)) (i32.store (i32.const 72) (i32.const 9))
  i32.const 64)
(data (i32.const 2048) "{\22type\22: ")
