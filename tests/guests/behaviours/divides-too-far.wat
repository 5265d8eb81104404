;; Divides the smallest number by minus one.
;; call: render
;; expect: plugin.trap
(func (export "@render") (param i32) (result i32) (i32.div_s (i32.const 0x80000000) (i32.const -1)))
