;; Has ten tables that are too large together.
;; call: render
;; expect: plugin.limit.tables
(table 20000 funcref)
(table 20000 funcref)
(table 20000 funcref)
(table 20000 funcref)
(table 20000 funcref)
(table 20000 funcref)
(table 20000 funcref)
(table 20000 funcref)
(table 20000 funcref)
(table 20000 funcref)
