;; Answers well only where no memory holds what another call left in it.
;; call: render
;; expect: ok
(memory (export "memory") 2)
(func (export "@render") (param i32) (result i32) (local $at i32)
  (if (i32.eq (memory.grow (i32.const 1022)) (i32.const -1)) (then unreachable))
  (local.set $at (i32.const 131072))
  (loop $again
    (if (i64.ne (i64.load (local.get $at)) (i64.const 0)) (then unreachable))
    (local.set $at (i32.add (local.get $at) (i32.const 64)))
    (br_if $again (i32.lt_u (local.get $at) (i32.const 67108864))))
  i32.const 64)
