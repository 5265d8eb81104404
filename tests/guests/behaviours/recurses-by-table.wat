;; Calls itself without end, by its table.
;; call: render
;; expect: plugin.trap
(table 1 funcref)
(func $f (export "@render") (param i32) (result i32) (call_indirect (param i32) (result i32) (i32.const 0) (i32.const 0)))
(elem (i32.const 0) func $f)
