//! What Sheave's tests share: clusters, stacks in a folder of their own, the audit log.
