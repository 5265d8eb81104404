;; Calls an empty slot of its table.
;; call: render
;; expect: plugin.trap
(table 2 funcref)
(func (export "@render") (param i32) (result i32) (call_indirect (result i32) (i32.const 1)))
