//! What is Kubernetes and pure: order of kinds, diff, readiness, ApplySet.
