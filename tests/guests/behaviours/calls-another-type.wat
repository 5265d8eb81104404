;; Calls a function as if it were one of another type.
;; call: render
;; expect: plugin.trap
(table 1 funcref)
(func $f (param i64))
(elem (i32.const 0) func $f)
(func (export "@render") (param i32) (result i32) (call_indirect (result i32) (i32.const 0)))
