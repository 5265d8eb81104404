;; Nine instances with a memory each.
(component
  (core module $m (memory 1))
  (core instance (instantiate $m)) (core instance (instantiate $m)) (core instance (instantiate $m))
  (core instance (instantiate $m)) (core instance (instantiate $m)) (core instance (instantiate $m))
  (core instance (instantiate $m)) (core instance (instantiate $m)) (core instance (instantiate $m))
  (instance $none)
  (export "sheave:plugin/model@0.1.0" (instance $none))
  (export "sheave:plugin/emit@0.1.0" (instance $none)))
