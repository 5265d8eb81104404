;; Takes all the memory that it may, writes to every page, and answers.
;; call: render
;; expect: ok
(memory (export "memory") 2)
(func (export "@render") (param i32) (result i32)
  (if (i32.eq (memory.grow (i32.const 1022)) (i32.const -1)) (then unreachable))
  (memory.fill (i32.const 131072) (i32.const 0xa5) (i32.const 66977792))
  i32.const 64)
