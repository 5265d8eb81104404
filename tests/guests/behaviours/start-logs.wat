;; Logs before anything is called, when it may not leave itself yet or may: either way the host serves.
;; call: render
;; expect: plugin.trap ok
(import "sheave:plugin/log@0.1.0" "log" (func $log (param i32 i32 i32 i32 i32)))

(func $start (call $log (i32.const 1) (i32.const 0) (i32.const 4) (i32.const 0) (i32.const 0)))
(start $start)
(func (export "@render") (param i32) (result i32) i32.const 64)
