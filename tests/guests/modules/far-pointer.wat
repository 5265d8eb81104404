;; Replies with a list that lies outside of its memory.
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
    (i32.store8 (i32.const 64) (i32.const 0))
    (i32.store (i32.const 68) (i32.const 0x7fff0000))
    (i32.store (i32.const 72) (i32.const 1))
    i32.const 64)
  (func (export "sheave:plugin/emit@0.1.0#observe") (param i32) (result i32) unreachable))
