;; Reads outside of its memory.
;; call: render
;; expect: plugin.trap
(func (export "@render") (param i32) (result i32) (i32.load (i32.const 0x7fff0000)))
