;; Replies with one object that waits for 2,000 slots, each the same 50 KiB of memory: 100 MB in the host, 128 KiB here.
;; A core module: the test wraps it into a component of the world `emitter`.
(module
  (memory (export "memory") 2)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) i32.const 4096)
  (func (export "sheave:plugin/model@0.1.0#describe") (result i32) unreachable)
  (func (export "sheave:plugin/model@0.1.0#settings-schema") (result i32) unreachable)
  (func (export "sheave:plugin/model@0.1.0#schema") (param i32 i32) (result i32) unreachable)
  (func (export "sheave:plugin/model@0.1.0#check")
    (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32) unreachable)
  (func (export "sheave:plugin/model@0.1.0#upgrade")
    (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32) unreachable)
  (func (export "sheave:plugin/emit@0.1.0#needs") (param i32) (result i32) unreachable)
  (func $render (export "sheave:plugin/emit@0.1.0#render") (param i32) (result i32)
    (local $at i32)
    ;; ok, and a list of one object, which is zero but for its `after`: 2,000 strings
    (i32.store (i32.const 68) (i32.const 128))
    (i32.store (i32.const 72) (i32.const 1))
    (i32.store (i32.const 160) (i32.const 65536))
    (i32.store (i32.const 164) (i32.const 2000))
    (local.set $at (i32.const 65536))
    (loop $again
      (i32.store (local.get $at) (i32.const 4096))
      (i32.store offset=4 (local.get $at) (i32.const 51200))
      (local.set $at (i32.add (local.get $at) (i32.const 8)))
      (br_if $again (i32.lt_u (local.get $at) (i32.const 81536))))
    i32.const 64)
  (func (export "sheave:plugin/emit@0.1.0#observe") (param i32) (result i32) unreachable))
