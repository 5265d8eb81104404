//! Talks to Kubernetes: discovery, server-side apply, list, watch, delete. The only user of kube.
