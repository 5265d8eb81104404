;; Asks the host for something small without end.
;; call: render
;; expect: plugin.limit.time plugin.limit.fuel
(import "sheave:plugin/log@0.1.0" "log" (func $log (param i32 i32 i32 i32 i32)))
(func (export "@render") (param i32) (result i32)
  (loop $again (call $log (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)) br $again)
  i32.const 64)
