;; Imports `log` with other parameters than it has.
(component
  (import "sheave:plugin/log@0.1.0" (instance (export "log" (func (param "message" string)))))
  (instance $none)
  (export "sheave:plugin/model@0.1.0" (instance $none))
  (export "sheave:plugin/emit@0.1.0" (instance $none)))
