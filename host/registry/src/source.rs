//! Where a plugin in a registry is.

use std::fmt;

use oci_client::Reference;

use crate::digest::Digest;
use crate::fault::RegistryError;

/// How a source in a registry begins, in a blueprint and on the command line.
pub const SCHEME: &str = "oci://";

/// A component in a registry: `oci://HOST[:PORT]/REPOSITORY[:TAG][@DIGEST]`.
///
/// The host is always written: what is meant by a name without one differs from tool to tool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The host, and its port where it has one.
    pub registry: String,
    /// The path on it, without slashes at its ends.
    pub repository: String,
    /// The tag, where one is written.
    pub tag: Option<String>,
    /// The digest of the manifest, where one is written.
    pub digest: Option<Digest>,
}

impl Source {
    /// Whether a text means a registry, rather than a file.
    pub fn is_one(text: &str) -> bool {
        text.starts_with(SCHEME)
    }

    /// The source that a text is, the scheme before it.
    pub fn parse(text: &str) -> Result<Self, RegistryError> {
        let wrong = |why: &str| RegistryError::SourceForm { plugin: text.to_owned(), why: why.to_owned() };
        let rest = text.strip_prefix(SCHEME).ok_or_else(|| wrong("it does not begin with `oci://`"))?;
        let (host, path) = rest.split_once('/').ok_or_else(|| wrong("no repository follows the host"))?;
        if !(host.contains(['.', ':']) || host == "localhost") {
            return Err(wrong("what stands before the first `/` is no host"));
        }
        // The library knows the grammar; what it would add (a registry, a tag) is not taken from it.
        let reference: Reference = rest.parse().map_err(|e| wrong(&format!("{e}")))?;
        if reference.registry() != host {
            return Err(wrong("what stands before the first `/` is no host"));
        }
        let digest = match reference.digest() {
            None => None,
            Some(text) => {
                Some(Digest::parse(text).ok_or_else(|| wrong("a digest is `sha256:` and 64 digits"))?)
            }
        };
        let name = path.split('@').next().unwrap_or_default();
        let tag = name.rsplit_once(':').map(|(_, tag)| tag.to_owned());
        Ok(Self { registry: host.to_owned(), repository: reference.repository().to_owned(), tag, digest })
    }

    /// Without tag and digest: `oci://HOST/REPOSITORY`.
    pub fn name(&self) -> String {
        format!("{SCHEME}{}/{}", self.registry, self.repository)
    }

    /// As signatures name it: `HOST/REPOSITORY`.
    pub(crate) fn identity(&self) -> String {
        format!("{}/{}", self.registry, self.repository)
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{SCHEME}{}/{}", self.registry, self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_what_is_read() {
        let digest = Digest::of(b"x");
        for text in [
            "oci://registry.example.com/acme/dns".to_owned(),
            "oci://registry.example.com/acme/dns:1.2.0".to_owned(),
            "oci://localhost/dns:1".to_owned(),
            "oci://127.0.0.1:5000/a/b/c:v1_2".to_owned(),
            format!("oci://registry.example.com/acme/dns@{digest}"),
            format!("oci://registry.example.com:443/acme/dns:1.2.0@{digest}"),
        ] {
            let source = Source::parse(&text).unwrap();
            assert_eq!(source.to_string(), text);
        }
        let source = Source::parse("oci://localhost:5000/acme/dns:1").unwrap();
        assert_eq!((source.registry.as_str(), source.repository.as_str()), ("localhost:5000", "acme/dns"));
        assert_eq!(source.tag.as_deref(), Some("1"));
        assert_eq!(source.name(), "oci://localhost:5000/acme/dns");
    }

    #[test]
    fn what_is_none_is_refused_with_the_reason() {
        for text in [
            "./x.wasm",
            "oci://",
            "oci://acme/dns:1",
            "oci://registry.example.com",
            "oci://registry.example.com/",
            "oci://registry.example.com/../../etc:1",
            "oci://registry.example.com/a/../b:1",
            "oci://registry.example.com/Acme:1",
            "oci://registry.example.com/a:",
            "oci://registry.example.com/a@sha256:1",
            "oci://user@registry.example.com/a:1",
            "oci://registry.example.com/a b:1",
            "oci://registry.example.com//a:1",
        ] {
            assert!(matches!(Source::parse(text), Err(RegistryError::SourceForm { .. })), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_leads_out_of_a_folder(rest in "[a-zA-Z0-9./:@_%\\\\-]{0,60}") {
            let text = format!("{SCHEME}{rest}");
            if let Ok(source) = Source::parse(&text) {
                proptest::prop_assert_eq!(source.to_string(), text);
                let path = format!("{}/{}", source.registry, source.repository);
                proptest::prop_assert!(path.split('/').all(|part| !matches!(part, "" | "." | "..")), "{}", path);
                proptest::prop_assert!(!path.contains('\\'), "{}", path);
            }
        }

        #[test]
        fn what_looks_like_a_source_is_one(
            host in "[a-z]{1,8}\\.[a-z]{2,4}(:[1-9][0-9]{1,3})?",
            path in "[a-z0-9]{1,8}(/[a-z0-9]{1,8}){0,3}",
            tag in "[A-Za-z0-9_][A-Za-z0-9._-]{0,20}",
        ) {
            let text = format!("{SCHEME}{host}/{path}:{tag}");
            proptest::prop_assert_eq!(Source::parse(&text).unwrap().to_string(), text);
        }
    }
}
