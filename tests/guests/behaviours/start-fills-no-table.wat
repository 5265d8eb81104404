;; Has functions for a table slot that it does not have.
;; call: render
;; expect: plugin.trap
(table 1 funcref)
(func $f)
(elem (i32.const 7) func $f)
