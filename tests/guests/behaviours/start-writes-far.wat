;; Has data for an address that it does not have.
;; call: render
;; expect: plugin.trap
(memory (export "memory") 2)
(data (i32.const 0x7fff0000) "far")
