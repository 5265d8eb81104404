;; Answers, and takes memory without end when it should clean up.
;; call: render
;; expect: plugin.limit.memory
(memory (export "memory") 2)
(func (export "@render") (param i32) (result i32) i32.const 64)
(func (export "@post-render") (param i32) (loop $again (drop (memory.grow (i32.const 64))) br $again))
