;; Calls the host from its allocator, where it may not leave itself.
;; call: check
;; expect: plugin.trap
(import "sheave:plugin/log@0.1.0" "log" (func $log (param i32 i32 i32 i32 i32)))
(func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
  (call $log (i32.const 1) (i32.const 0) (i32.const 4) (i32.const 0) (i32.const 0)) i32.const 4096)
