;; Takes memory without end in its allocator.
;; call: check
;; expect: plugin.limit.memory
(memory (export "memory") 2)
(func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
  (loop $again (drop (memory.grow (i32.const 64))) br $again) unreachable)
