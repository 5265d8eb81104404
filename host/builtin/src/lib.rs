//! The built-in Kubernetes plugin, compiled ahead of time.
