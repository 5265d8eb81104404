;; Logs what lies outside of its memory.
;; call: render
;; expect: plugin.trap plugin.bad-reply
(import "sheave:plugin/log@0.1.0" "log" (func $log (param i32 i32 i32 i32 i32)))
(func (export "@render") (param i32) (result i32)
  (call $log (i32.const 1) (i32.const 0x7fff0000) (i32.const 64) (i32.const 0) (i32.const 0))
  i32.const 64)
