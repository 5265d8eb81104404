;; Makes an integer of what is no number.
;; call: render
;; expect: plugin.trap
(func (export "@render") (param i32) (result i32) (i32.trunc_f64_s (f64.const nan)))
