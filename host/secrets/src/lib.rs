//! Keys, tokens, masking, encryption at rest: everything that is done with a secret, and nothing else.
//!
//! Pure: no clock, no file, no network; randomness is an argument ([`RandomSource`]).
//!
//! - [`MasterKey`], [`StackKey`]: one key for an installation, and what a stack derives from it.
//! - [`mint`], [`restore`], [`compare`]: what a plugin gets instead of a secret or an unknown, how the value comes
//!   back, and how rendering with different tokens finds what was computed from one.
//! - [`Mask`]: takes known secrets out of whatever goes back to a plugin, to a log or to a person.
//! - [`Sealer`]: encrypts what is stored.
//! - [`password`]: makes one.

mod compare;
mod decode;
mod key;
mod mask;
mod mint;
mod password;
mod patterns;
mod restore;
mod seal;
mod table;

pub use compare::{Comparison, compare, frames_differ};
pub use key::{KeyError, MasterKey, RandomSource, StackKey};
pub use mask::{Mask, SENSITIVE};
pub use mint::{Family, MarkKind, Minted, mint};
pub use password::{MAX_PASSWORD, MIN_PASSWORD, PasswordLength, password};
pub use restore::{misplaced_secret, restore};
pub use seal::{OpenError, Sealer};
pub use table::{Misplaced, Stands, TokenTable};
