//! Plugins from OCI registries: named, pulled, pushed, signed and verified.
//!
//! [`Source`] names a component in a registry. [`Registries`] has it from wherever it can be had: what was pulled before,
//! the folder that is used in place of registries, mirrors, the registry itself. Every byte is measured against a digest,
//! so that none of these has to be trusted; who made a component is told by signatures in the form of cosign, and who may
//! is the operator's [`Policy`].

mod artifact;
mod bounded;
mod credentials;
mod digest;
mod fault;
mod key;
mod layout;
mod policy;
mod registries;
mod remote;
mod settings;
mod signature;
mod source;
mod verify;

pub use artifact::{About, MAX_COMPONENT};
pub use digest::Digest;
pub use fault::{Miss, RegistryError};
pub use key::{PrivateKey, PublicKey};
pub use policy::{POLICY_FILE, Policy};
pub use registries::{Pulled, Pushed, Registries};
pub use settings::{SETTINGS_FILE, Settings};
pub use source::{SCHEME, Source};
pub use verify::{SIGNATURE_END, Signer, sign_file, verify_file};
