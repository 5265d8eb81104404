;; Copies what is outside of its memory.
;; call: render
;; expect: plugin.trap
(func (export "@render") (param i32) (result i32) (memory.copy (i32.const 0) (i32.const 0x7fff0000) (i32.const 65536)) i32.const 64)
