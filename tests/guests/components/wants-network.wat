;; Imports what no grant allows: plugins ask, and serve nobody.
(component
  (import "wasi:http/incoming-handler@0.2.0" (instance)))
