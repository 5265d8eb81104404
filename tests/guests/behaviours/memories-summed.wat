;; Takes forty MiB in its second memory, beside thirty in its first.
;; call: render
;; expect: plugin.limit.memory
(memory (export "memory") 480)
(memory $second 1)
(func (export "@render") (param i32) (result i32)
  (drop (memory.grow $second (i32.const 639)))
  i32.const 64)
