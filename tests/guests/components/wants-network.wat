;; Imports what would need a grant.
(component
  (import "wasi:http/outgoing-handler@0.2.0" (instance)))
