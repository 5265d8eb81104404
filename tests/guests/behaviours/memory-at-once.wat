;; Asks for four GiB at once.
;; call: render
;; expect: plugin.limit.memory
(memory (export "memory") 2)
(func (export "@render") (param i32) (result i32)
  (drop (memory.grow (i32.const 65534)))
  i32.const 64)
