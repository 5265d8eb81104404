;; Uses threads, whose order would differ from run to run.
(component
  (core module $m (memory 1 1 shared))
  (core instance (instantiate $m))
  (instance $none)
  (export "sheave:plugin/model@0.1.0" (instance $none))
  (export "sheave:plugin/emit@0.1.0" (instance $none)))
