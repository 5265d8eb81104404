//! The state machine of a run: planning and applying. Pure, and blind to Kubernetes.
