//! Limits that more than one crate keeps, each with its reason.

/// Nesting of any document that comes from outside: beyond it recursive readers would be at risk; Kubernetes' own
/// deepest schemas stay under 40.
pub const MAX_DEPTH: usize = 128;

/// Objects that one render may emit: a blueprint of that many is better split, and a flood must end.
pub const MAX_OBJECTS_PER_RENDER: usize = 10_000;

/// Resource instances in one stack: bounds what a hostile `count` can make the planner hold.
pub const MAX_INSTANCES: usize = 50_000;
