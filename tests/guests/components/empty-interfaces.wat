;; Exports the interfaces, but none of their functions.
(component
  (instance $none)
  (export "sheave:plugin/model@0.1.0" (instance $none))
  (export "sheave:plugin/emit@0.1.0" (instance $none)))
