;; Calls itself without end in its allocator.
;; call: check
;; expect: plugin.trap
(func $realloc (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
  (call $realloc (local.get 0) (local.get 1) (local.get 2) (local.get 3)))
