;; Calls itself without end before anything is called.
;; call: render
;; expect: plugin.trap
(func $start call $start)
(start $start)
