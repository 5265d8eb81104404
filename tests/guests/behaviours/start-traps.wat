;; Traps before anything is called.
;; call: render
;; expect: plugin.trap
(func $start unreachable)
(start $start)
