;; Takes memory without end before anything is called.
;; call: render
;; expect: plugin.limit.memory
(memory (export "memory") 2)
(func $start (loop $again (drop (memory.grow (i32.const 64))) br $again))
(start $start)
