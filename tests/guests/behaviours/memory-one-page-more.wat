;; Takes all the memory that it may, and one page.
;; call: render
;; expect: plugin.limit.memory
(memory (export "memory") 2)
(func (export "@render") (param i32) (result i32)
  (drop (memory.grow (i32.const 1023)))
  i32.const 64)
