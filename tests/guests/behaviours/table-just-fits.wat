;; Has a table as large as may be, and answers.
;; call: render
;; expect: ok
(table 100000 funcref)
(func (export "@render") (param i32) (result i32) i32.const 64)
