;; Loops for ever before anything is called.
;; A core module: the test wraps it into a component of the world `emitter`.
(module
  (memory (export "memory") 2)
  (func $spin (loop $again br $again))
  (start $spin)
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
    unreachable)
  (func (export "sheave:plugin/emit@0.1.0#observe") (param i32) (result i32) unreachable))
