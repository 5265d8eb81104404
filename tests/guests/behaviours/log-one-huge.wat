;; Logs one line of a megabyte and a half.
;; call: render
;; expect: ok
(import "sheave:plugin/log@0.1.0" "log" (func $log (param i32 i32 i32 i32 i32)))
(memory (export "memory") 32)
(func (export "@render") (param i32) (result i32)
  (call $log (i32.const 1) (i32.const 131072) (i32.const 1500000) (i32.const 0) (i32.const 0))
  i32.const 64)
