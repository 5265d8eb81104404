;; Grows a table that is as large as may be by one slot.
;; call: render
;; expect: plugin.limit.tables
(table $t 100000 funcref)
(func (export "@render") (param i32) (result i32)
  (drop (table.grow $t (ref.null func) (i32.const 1))) i32.const 64)
