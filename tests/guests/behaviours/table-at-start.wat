;; Has a table of nine million slots.
;; call: render
;; expect: plugin.too-large
(table 9000000 funcref)
