;; Answers, and calls the host when it should clean up, where it may not leave itself.
;; call: render
;; expect: plugin.trap
(import "sheave:plugin/log@0.1.0" "log" (func $log (param i32 i32 i32 i32 i32)))
(func (export "@render") (param i32) (result i32) i32.const 64)
(func (export "@post-render") (param i32)
  (call $log (i32.const 1) (i32.const 0) (i32.const 4) (i32.const 0) (i32.const 0)))
