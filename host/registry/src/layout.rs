//! Folders of components: OCI image layouts, one a repository, as other tools read and write them.
//!
//! Two are kept so: what was pulled before (the cache), and the folder that is used in place of registries. What is read
//! is always measured against its digest: neither folder has to be trusted.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use oci_client::manifest::{
    ImageIndexEntry, OCI_IMAGE_INDEX_MEDIA_TYPE, OCI_IMAGE_MEDIA_TYPE, OciImageIndex,
};

use crate::artifact::MAX_MANIFEST;
use crate::bounded::read_at_most;
use crate::digest::Digest;
use crate::fault::RegistryError;
use crate::source::Source;

/// The annotation that holds a manifest's tag, by the image layout's specification.
const REF_NAME: &str = "org.opencontainers.image.ref.name";

/// A folder of layouts: `HOST/REPOSITORY/` of each source.
#[derive(Clone, Debug)]
pub(crate) struct Layouts {
    root: PathBuf,
}

impl Layouts {
    pub(crate) fn new(root: PathBuf) -> Self {
        Self { root }
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    fn folder(&self, source: &Source) -> PathBuf {
        // No host has an underscore, so that two never share a folder.
        self.root.join(source.registry.replace(':', "_")).join(&source.repository)
    }

    fn blob_path(&self, source: &Source, digest: &Digest) -> PathBuf {
        self.folder(source).join("blobs").join("sha256").join(digest.hex())
    }

    /// What a tag stands for; none where the folder does not have it.
    pub(crate) fn tag(&self, source: &Source, tag: &str) -> Result<Option<Digest>, RegistryError> {
        let index = self.index(&self.folder(source))?;
        let has = |e: &&ImageIndexEntry| {
            e.annotations.as_ref().and_then(|a| a.get(REF_NAME)).is_some_and(|t| t == tag)
        };
        Ok(index.manifests.iter().find(has).and_then(|e| Digest::parse(&e.digest)))
    }

    /// The bytes of a digest, at most `limit`; none where the folder does not have them. Others in their place are a fault.
    pub(crate) fn blob(
        &self,
        source: &Source,
        digest: &Digest,
        limit: u64,
    ) -> Result<Option<Vec<u8>>, RegistryError> {
        let path = self.blob_path(source, digest);
        let Some(bytes) = read_at_most(&path, limit).map_err(|e| fault(&path, &e))? else { return Ok(None) };
        let found = Digest::of(&bytes);
        if found == *digest {
            return Ok(Some(bytes));
        }
        Err(RegistryError::Digest { plugin: path.display().to_string(), expected: digest.clone(), found })
    }

    /// Keeps the bytes of a digest.
    pub(crate) fn put(&self, source: &Source, bytes: &[u8]) -> Result<Digest, RegistryError> {
        let digest = Digest::of(bytes);
        let path = self.blob_path(source, &digest);
        // What stands there under its name may be half-written or poisoned: it is written anew unless it is right.
        if !matches!(self.blob(source, &digest, bytes.len() as u64), Ok(Some(_))) {
            write(&path, bytes)?;
        }
        Ok(digest)
    }

    /// Keeps a manifest, and what its tag stands for. Its blobs are to be there already.
    pub(crate) fn put_manifest(
        &self,
        source: &Source,
        tag: Option<&str>,
        manifest: &[u8],
    ) -> Result<(), RegistryError> {
        let digest = self.put(source, manifest)?;
        let folder = self.folder(source);
        let fault = |path: &Path, e: io::Error| fault(path, &e);
        let lock_path = folder.join(".lock");
        let lock = private()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&lock_path)
            .map_err(|e| fault(&lock_path, e))?;
        lock.lock().map_err(|e| fault(&lock_path, e))?;
        let mut index = self.index(&folder)?;
        let entry_tag = |e: &ImageIndexEntry| e.annotations.as_ref().and_then(|a| a.get(REF_NAME)).cloned();
        index.manifests.retain(|e| match (tag, entry_tag(e)) {
            (Some(tag), Some(of)) => of != tag,
            (_, None) => e.digest != digest.as_str(),
            (None, Some(_)) => true,
        });
        index.manifests.push(ImageIndexEntry {
            media_type: OCI_IMAGE_MEDIA_TYPE.to_owned(),
            digest: digest.to_string(),
            size: i64::try_from(manifest.len()).unwrap_or(i64::MAX),
            platform: None,
            annotations: tag.map(|tag| [(REF_NAME.to_owned(), tag.to_owned())].into()),
            artifact_type: None,
        });
        let path = folder.join("oci-layout");
        if !path.exists() {
            write(&path, br#"{"imageLayoutVersion":"1.0.0"}"#)?;
        }
        let text = serde_json::to_vec_pretty(&index)
            .map_err(|e| RegistryError::Folder { path: folder.join("index.json"), why: e.to_string() })?;
        write(&folder.join("index.json"), &text)
    }

    fn index(&self, folder: &Path) -> Result<OciImageIndex, RegistryError> {
        let path = folder.join("index.json");
        match read_at_most(&path, MAX_MANIFEST as u64).map_err(|e| fault(&path, &e))? {
            Some(bytes) => serde_json::from_slice(&bytes).map_err(|e| RegistryError::Folder {
                path,
                why: format!("it is no index of an image layout: {e}"),
            }),
            None => Ok(OciImageIndex {
                schema_version: 2,
                media_type: Some(OCI_IMAGE_INDEX_MEDIA_TYPE.to_owned()),
                manifests: Vec::new(),
                artifact_type: None,
                annotations: None,
            }),
        }
    }
}

fn fault(path: &Path, why: &io::Error) -> RegistryError {
    RegistryError::Folder { path: path.to_owned(), why: why.to_string() }
}

/// Writes a file whole or not at all.
fn write(path: &Path, bytes: &[u8]) -> Result<(), RegistryError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let written = || -> io::Result<()> {
        private_folder(folder)?;
        let mut part = tempfile::NamedTempFile::new_in(folder)?;
        part.write_all(bytes)?;
        part.as_file().sync_all()?;
        part.persist(path).map_err(|e| e.error)?;
        Ok(())
    };
    written().map_err(|e| fault(path, &e))
}

/// What is pulled is nobody else's to change; who is given the folder on purpose is given the rights, too.
fn private_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

fn private() -> fs::OpenOptions {
    #[allow(unused_mut, reason = "changed where files have modes")]
    let mut options = fs::OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Tags of one folder by what they stand for, for tests of whole folders.
#[cfg(test)]
pub(crate) fn tags(layouts: &Layouts, source: &Source) -> std::collections::HashMap<String, String> {
    let index = layouts.index(&layouts.folder(source)).unwrap();
    let of = |e: ImageIndexEntry| {
        (e.annotations.and_then(|a| a.get(REF_NAME).cloned()).unwrap_or_default(), e.digest)
    };
    index.manifests.into_iter().map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source() -> Source {
        Source::parse("oci://localhost:5000/acme/dns:1").unwrap()
    }

    #[test]
    fn what_is_kept_is_found_by_digest_and_tag() {
        let folder = tempfile::tempdir().unwrap();
        let layouts = Layouts::new(folder.path().join("of"));
        assert_eq!(layouts.tag(&source(), "1").unwrap(), None);
        let digest = layouts.put(&source(), b"bytes").unwrap();
        assert_eq!(layouts.blob(&source(), &digest, 5).unwrap().as_deref(), Some(&b"bytes"[..]));
        assert!(matches!(layouts.blob(&source(), &digest, 4), Err(RegistryError::Folder { .. })));
        assert_eq!(layouts.blob(&source(), &Digest::of(b"x"), 5).unwrap(), None);
        layouts.put_manifest(&source(), Some("1"), b"one").unwrap();
        layouts.put_manifest(&source(), Some("2"), b"two").unwrap();
        layouts.put_manifest(&source(), Some("1"), b"moved").unwrap();
        layouts.put_manifest(&source(), None, b"none").unwrap();
        layouts.put_manifest(&source(), None, b"none").unwrap();
        assert_eq!(layouts.tag(&source(), "1").unwrap(), Some(Digest::of(b"moved")));
        assert_eq!(layouts.tag(&source(), "2").unwrap(), Some(Digest::of(b"two")));
        let expected = [("1", "moved"), ("2", "two"), ("", "none")];
        let expected = expected.map(|(tag, of)| (tag.to_owned(), Digest::of(of.as_bytes()).to_string()));
        assert_eq!(tags(&layouts, &source()), expected.into());
    }

    #[test]
    fn other_bytes_under_a_digest_are_found_out_and_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let layouts = Layouts::new(folder.path().to_owned());
        let digest = layouts.put(&source(), b"bytes").unwrap();
        fs::write(layouts.blob_path(&source(), &digest), b"other").unwrap();
        assert!(matches!(layouts.blob(&source(), &digest, 9), Err(RegistryError::Digest { .. })));
        layouts.put(&source(), b"bytes").unwrap();
        assert_eq!(layouts.blob(&source(), &digest, 9).unwrap().as_deref(), Some(&b"bytes"[..]));
    }

    #[test]
    fn writers_at_once_lose_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let layouts = Layouts::new(folder.path().to_owned());
        std::thread::scope(|scope| {
            for n in 0..16 {
                let layouts = &layouts;
                scope.spawn(move || {
                    let text = n.to_string();
                    layouts.put_manifest(&source(), Some(&text), text.as_bytes()).unwrap();
                });
            }
        });
        assert_eq!(tags(&layouts, &source()).len(), 16);
    }
}
