//! The rules of docs/architecture.md, checked: tests that read the manifests and the sources.

pub mod packages;
pub mod rust;
pub mod tree;

#[cfg(test)]
mod edges;
#[cfg(test)]
mod interface;
#[cfg(test)]
mod purity;
#[cfg(test)]
mod tidy;
