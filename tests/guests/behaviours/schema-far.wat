;; Has a schema that reads another one from elsewhere.
;; call: schema
;; expect: plugin.bad-reply ok
(func (export "@schema") (param i32 i32) (result i32)
  (i32.store (i32.const 68) (i32.const 2048)) (i32.store (i32.const 72) (i32.const 30))
  i32.const 64)
(data (i32.const 2048) "{\22$ref\22: \22file:///etc/passwd\22}")
