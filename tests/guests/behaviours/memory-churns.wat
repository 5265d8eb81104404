;; Writes over all its memory until it is stopped.
;; call: render
;; expect: plugin.limit.time plugin.limit.fuel
(memory (export "memory") 1000)
(func (export "@render") (param i32) (result i32)
  (loop $again (memory.fill (i32.const 0) (i32.const 1) (i32.const 65536000)) br $again) unreachable)
