//! What can go wrong between a source and its bytes, and how it is said.

use std::path::PathBuf;

use sheave_model::Diagnostic;

use crate::digest::Digest;

/// Why a plugin cannot be had from a registry, or given to one.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// A text that is no source.
    #[error("`{plugin}` is no place in a registry: {why}")]
    SourceForm {
        /// The text.
        plugin: String,
        /// Which part of it is wrong.
        why: String,
    },
    /// A source without tag and digest, where one has to be chosen.
    #[error("`{0}` says neither a tag nor a digest")]
    NoTag(String),
    /// A file of the operator's cannot be used.
    #[error("`{}` cannot be used: {why}", path.display())]
    Settings {
        /// The file.
        path: PathBuf,
        /// Why not.
        why: String,
    },
    /// None of the places that were asked gave an answer.
    #[error("`{plugin}` cannot be had")]
    Missed {
        /// What was asked for.
        plugin: String,
        /// Who was asked, in this order, and what each said.
        tried: Vec<(String, Miss)>,
    },
    /// The bytes are not those that were named.
    #[error("what came for `{plugin}` is not what was named")]
    Digest {
        /// What was asked for.
        plugin: String,
        /// The digest that was named.
        expected: Digest,
        /// The digest of what came.
        found: Digest,
    },
    /// What is there is no component.
    #[error("`{plugin}` is no WebAssembly component")]
    NotComponent {
        /// The source.
        plugin: String,
        /// What it is instead.
        why: String,
    },
    /// A tag that has another component already.
    #[error("`{plugin}` is taken by another component")]
    TagTaken {
        /// The source, with the tag.
        plugin: String,
        /// What the tag has.
        digest: Digest,
    },
    /// A folder of components cannot be read or written.
    #[error("the folder of plugins `{}` cannot be used: {why}", path.display())]
    Folder {
        /// The file or folder.
        path: PathBuf,
        /// Why not.
        why: String,
    },
    /// The folder that is used in place of registries does not have it.
    #[error("`{plugin}` is not in the folder `{}`", folder.display())]
    NotOffline {
        /// What was asked for.
        plugin: String,
        /// The folder.
        folder: PathBuf,
    },
    /// A key that cannot be used.
    #[error("the key `{}` cannot be used: {why}", path.display())]
    Key {
        /// Its file.
        path: PathBuf,
        /// Why not.
        why: String,
    },
    /// No signature at all, where one is wanted.
    #[error("the plugin `{plugin}` is not signed")]
    Unsigned {
        /// The plugin.
        plugin: String,
        /// Who may sign it.
        wanted: Vec<String>,
        /// Places that could not be asked for signatures.
        unasked: Vec<(String, Miss)>,
    },
    /// Signatures, and none of them counts.
    #[error("the plugin `{plugin}` is signed by nobody who may")]
    WrongSigner {
        /// The plugin.
        plugin: String,
        /// Who may sign it.
        wanted: Vec<String>,
        /// What each signature is.
        found: Vec<String>,
    },
    /// The operator's policy does not know the source.
    #[error("the policy `{}` has no rule for `{plugin}`", policy.display())]
    NoRule {
        /// The plugin.
        plugin: String,
        /// The policy's file.
        policy: PathBuf,
    },
}

/// What one of the places said that were asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Miss {
    /// It does not have it.
    #[error("does not have it")]
    NotFound,
    /// It does not give it to this user.
    #[error("refuses: {0}")]
    Denied(String),
    /// It cannot be reached, or does not answer in time.
    #[error("cannot be reached: {0}")]
    Down(String),
    /// What it gives has another digest than what was asked for.
    #[error("gives other bytes: {0}")]
    Changed(String),
    /// Its answer is none that a registry may give.
    #[error("answers wrongly: {0}")]
    Wrong(String),
}

/// The most that is repeated of what a registry says, characters.
const MAX_SAID: usize = 300;

/// What a registry said, fit to be shown: bounded, without control characters.
pub(crate) fn said(text: &str) -> String {
    let mut out: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MAX_SAID).collect();
    if text.chars().nth(MAX_SAID).is_some() {
        out.push('…');
    }
    out
}

/// What to make of bytes that are not those that were named.
const MISMATCH: &str =
    "somebody between here and its author changed it, or the name is wrong; nothing of it is used";

fn lines(tried: &[(String, Miss)]) -> String {
    let lines: Vec<String> = tried.iter().map(|(place, miss)| format!("{place} {miss}")).collect();
    lines.join("\n")
}

impl RegistryError {
    /// As it is shown.
    pub fn diagnostic(&self) -> Diagnostic {
        let of = |code: &str| Diagnostic::error(code, self.to_string());
        match self {
            Self::SourceForm { .. } => of("registry.source-form").with_help(
                "write `oci://HOST/REPOSITORY:TAG`, as in `oci://registry.example.com/acme/dns:1.2.0`",
            ),
            Self::NoTag(source) => of("registry.no-tag").with_help(format!(
                "write `{source}:TAG` or `{source}@sha256:…`: a plugin without one could be any"
            )),
            Self::Settings { .. } => {
                of("registry.settings").with_help("docs/plugins.md shows what stands in it, under *Registries*")
            }
            Self::Missed { tried, .. } => missed(of, tried),
            Self::Digest { expected, found, .. } => of("registry.digest-mismatch")
                .with_detail(format!("named: {expected}\nfound: {found}"))
                .with_help(MISMATCH),
            Self::NotComponent { why, .. } => of("registry.not-a-component")
                .with_detail(why.clone())
                .with_help("`sheave plugin push` makes what is wanted here, and so does `wkg oci push`"),
            Self::TagTaken { digest, .. } => of("registry.tag-taken")
                .with_detail(format!("it has {digest}"))
                .with_help("give it another version, or `--force` where nobody uses it yet: whoever locked it is refused from then on"),
            Self::Folder { .. } => of("registry.folder"),
            Self::NotOffline { plugin, folder } => of("registry.not-offline").with_help(format!(
                "where there is a network: `sheave plugin pull {plugin} --to {}`",
                folder.display()
            )),
            Self::Key { .. } => of("plugin.key")
                .with_help("`sheave plugin key NAME` makes a pair; cosign's own keys are read too, their password from COSIGN_PASSWORD"),
            Self::Unsigned { wanted, unasked, .. } => {
                let mut detail = format!("wanted: a signature of {}", wanted.join(" or "));
                if !unasked.is_empty() {
                    detail.push_str(&format!("\nnot asked for signatures, since they gave no answer:\n{}", lines(unasked)));
                }
                of("plugin.unsigned").with_detail(detail).with_help(
                    "its author signs it with `sheave plugin sign`; the operator's policy says who may",
                )
            }
            Self::WrongSigner { wanted, found, .. } => of("plugin.wrong-signer")
                .with_detail(format!("wanted: {}\nfound:  {}", wanted.join(" or "), found.join("\n        ")))
                .with_help("where the key is right, the operator adds it to the policy"),
            Self::NoRule { plugin, .. } => of("plugin.no-rule").with_help(format!(
                "the operator adds one under `sources`: who may sign `{plugin}`, or `unsigned: true`"
            )),
        }
    }
}

/// What is said first is what the user can do most about.
fn missed(of: impl Fn(&str) -> Diagnostic, tried: &[(String, Miss)]) -> Diagnostic {
    let any = |is: fn(&Miss) -> bool| tried.iter().any(|(_, miss)| is(miss));
    let (code, help) = if any(|m| matches!(m, Miss::Changed(_))) {
        ("registry.digest-mismatch", MISMATCH)
    } else if any(|m| matches!(m, Miss::Denied(_))) {
        (
            "registry.denied",
            "`docker login HOST` keeps credentials where they are looked for: in docker's config.json",
        )
    } else if any(|m| matches!(m, Miss::Wrong(_))) {
        (
            "registry.wrong-answer",
            "is there a registry at that address? A plain-HTTP one needs `http: true` in registries.yaml",
        )
    } else if any(|m| matches!(m, Miss::Down(_))) {
        (
            "registry.unreachable",
            "plugins that sheave.lock has and that were used here before need no registry; a mirror in registries.yaml, or `--offline FOLDER`, gives the others",
        )
    } else {
        (
            "registry.not-found",
            "the name, the tag, or a login is missing: many registries say so of what one may not see",
        )
    };
    of(code).with_detail(lines(tried)).with_help(help)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_telling_of_several_answers_names_the_fault() {
        let (gone, denied) = (Miss::NotFound, Miss::Denied("401".into()));
        let (down, wrong) = (Miss::Down("refused".into()), Miss::Wrong("html".into()));
        for (tried, code) in [
            (vec![gone.clone()], "registry.not-found"),
            (vec![gone.clone(), down.clone()], "registry.unreachable"),
            (vec![down.clone(), wrong.clone()], "registry.wrong-answer"),
            (vec![wrong, down, denied.clone()], "registry.denied"),
            (vec![denied, Miss::Changed("x".into())], "registry.digest-mismatch"),
        ] {
            let tried = tried.into_iter().map(|m| ("h".to_owned(), m)).collect();
            let fault = RegistryError::Missed { plugin: "oci://h/r:1".into(), tried };
            assert_eq!(fault.diagnostic().code, code);
        }
    }

    #[test]
    fn what_a_registry_says_is_bounded_and_plain() {
        assert_eq!(said("a\u{1b}[31mb\n"), "a [31mb ");
        assert_eq!(said(&"x".repeat(1000)).chars().count(), MAX_SAID + 1);
    }
}
