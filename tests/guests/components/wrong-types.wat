;; Names the right version, and has a function of another type.
(component
  (core module $m (func (export "describe") (result i32) i32.const 0))
  (core instance $i (instantiate $m))
  (func $describe (result u32) (canon lift (core func $i "describe")))
  (instance $model (export "describe" (func $describe)))
  (instance $none)
  (export "sheave:plugin/model@0.1.0" (instance $model))
  (export "sheave:plugin/emit@0.1.0" (instance $none)))
