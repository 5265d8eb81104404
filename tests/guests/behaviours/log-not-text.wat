;; Logs what is no UTF-8.
;; call: render
;; expect: plugin.trap plugin.bad-reply
(import "sheave:plugin/log@0.1.0" "log" (func $log (param i32 i32 i32 i32 i32)))
(func (export "@render") (param i32) (result i32)
  (call $log (i32.const 1) (i32.const 2048) (i32.const 2) (i32.const 0) (i32.const 0))
  i32.const 64)
(data (i32.const 2048) "\ff\fe")
