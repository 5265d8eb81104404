//! Whole sessions of an operator, run against the real binary and the real control plane.
