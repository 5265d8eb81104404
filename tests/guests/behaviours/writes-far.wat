;; Writes outside of its memory, at an offset that overflows.
;; call: render
;; expect: plugin.trap
(func (export "@render") (param i32) (result i32) (i32.store offset=0xffffffff (i32.const -1) (i32.const 1)) i32.const 64)
