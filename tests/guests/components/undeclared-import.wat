;; Imports what no plugin gets.
(component
  (import "acme:db/query@1.0.0" (instance (export "run" (func (param "sql" string))))))
