;; Neither emits nor provides.
(component
  (instance $none)
  (export "sheave:plugin/model@0.1.0" (instance $none)))
