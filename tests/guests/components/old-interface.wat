;; Speaks a version of the interface that is long gone.
(component
  (instance $none)
  (export "sheave:plugin/model@0.0.9" (instance $none))
  (export "sheave:plugin/emit@0.0.9" (instance $none)))
