//! All places that a component can be had from, in the order in which they are asked.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::Mutex;

use crate::artifact::{self, About, Blob, MAX_MANIFEST};
use crate::digest::Digest;
use crate::fault::{Miss, RegistryError};
use crate::key::PrivateKey;
use crate::layout::Layouts;
use crate::remote::Remote;
use crate::settings::{Endpoint, Settings};
use crate::signature::{self, Signed};
use crate::source::Source;

/// A component that was had.
#[derive(Debug)]
pub struct Pulled {
    /// Its bytes.
    pub component: Vec<u8>,
    /// The digest of its manifest: what names it in every registry.
    pub digest: Digest,
    /// Where it came from, for messages.
    pub from: String,
}

/// A component that was given to a registry.
#[derive(Debug)]
pub struct Pushed {
    /// The digest of its manifest.
    pub digest: Digest,
    /// Whether the tag had it already.
    pub already: bool,
}

/// Bytes, and who gave them; nobody: they were kept here.
type Had = (Vec<u8>, Option<String>);

/// What was found of a manifest's signatures.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) signed: Vec<Signed>,
    /// Places that could not be asked.
    pub(crate) unasked: Vec<(String, Miss)>,
}

/// Registries, with what was pulled from them before.
pub struct Registries {
    settings: Settings,
    cache: Layouts,
    offline: Option<Layouts>,
    remotes: Mutex<HashMap<Endpoint, Arc<Remote>>>,
}

impl std::fmt::Debug for Registries {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Registries")
            .field("settings", &self.settings)
            .field("offline", &self.offline)
            .finish_non_exhaustive()
    }
}

impl Registries {
    /// `cache`: the folder of what was pulled before, made where it is missing. `offline`: a folder that is used in place
    /// of every registry, as [`Self::copy`] fills it.
    pub fn new(settings: Settings, cache: PathBuf, offline: Option<PathBuf>) -> Self {
        let (cache, offline) = (Layouts::new(cache), offline.map(Layouts::new));
        Self { settings, cache, offline, remotes: Mutex::default() }
    }

    /// The component of a source. `pinned`: the digest of its manifest where it is known, as from a lock file; then the
    /// tag is not asked for, and where the component was pulled before, nobody is.
    pub async fn pull(&self, source: &Source, pinned: Option<&Digest>) -> Result<Pulled, RegistryError> {
        let digest = match source.digest.as_ref().or(pinned) {
            Some(digest) => digest.clone(),
            None => self.resolve(source).await?,
        };
        let (manifest, said_by) = self.manifest(source, &digest).await?;
        let not_one = |why| RegistryError::NotComponent { plugin: source.to_string(), why };
        let (_, blob) = artifact::read(&manifest).map_err(not_one)?;
        let (component, from) = self.blob(source, &blob).await?;
        let from = from.or(said_by).unwrap_or_else(|| "the cache".into());
        Ok(Pulled { component, digest, from })
    }

    /// What a source's tag stands for now.
    pub async fn resolve(&self, source: &Source) -> Result<Digest, RegistryError> {
        let tag = source.tag.as_deref().ok_or_else(|| RegistryError::NoTag(source.name()))?;
        if let Some(offline) = &self.offline {
            return offline.tag(source, tag)?.ok_or_else(|| self.not_offline(source, offline));
        }
        let asked = self.ask(source, async |remote: &Remote| remote.resolve(source, tag).await).await;
        asked.map(|(digest, _)| digest)
    }

    async fn manifest(&self, source: &Source, digest: &Digest) -> Result<Had, RegistryError> {
        let blob = Blob { digest: digest.clone(), size: MAX_MANIFEST as u64 };
        self.have(source, &blob, async |remote: &Remote| remote.manifest(source, digest).await).await
    }

    async fn blob(&self, source: &Source, blob: &Blob) -> Result<Had, RegistryError> {
        self.have(source, blob, async |remote: &Remote| remote.blob(source, blob).await).await
    }

    /// The bytes of a digest, from wherever they can be had; kept from then on.
    async fn have(
        &self,
        source: &Source,
        blob: &Blob,
        question: impl AsyncFn(&Remote) -> Result<Vec<u8>, Miss>,
    ) -> Result<Had, RegistryError> {
        // What is kept here and does not measure up counts as not kept: it is fetched and written anew.
        if let Ok(Some(bytes)) = self.cache.blob(source, &blob.digest, blob.size) {
            return Ok((bytes, None));
        }
        let (bytes, from) = match &self.offline {
            Some(offline) => {
                let found = offline.blob(source, &blob.digest, blob.size)?;
                let bytes = found.ok_or_else(|| self.not_offline(source, offline))?;
                (bytes, offline.root().display().to_string())
            }
            None => self.ask(source, question).await?,
        };
        self.cache.put(source, &bytes)?;
        Ok((bytes, Some(from)))
    }

    fn not_offline(&self, source: &Source, offline: &Layouts) -> RegistryError {
        RegistryError::NotOffline { plugin: source.to_string(), folder: offline.root().to_owned() }
    }

    /// Asks one place after the other until one has it; with what each said, where none has.
    async fn ask<T>(
        &self,
        source: &Source,
        question: impl AsyncFn(&Remote) -> Result<T, Miss>,
    ) -> Result<(T, String), RegistryError> {
        let mut tried = Vec::new();
        for endpoint in self.settings.endpoints(&source.registry) {
            let host = endpoint.host.clone();
            match self.at(endpoint, &question).await {
                Ok(answer) => return Ok((answer, host)),
                Err(miss) => {
                    // Another place may have it as it was named; that this one has not should not stay unseen.
                    if let Miss::Changed(_) = miss {
                        tracing::warn!(%source, place = host, "{miss}");
                    }
                    tried.push((host, miss));
                }
            }
        }
        Err(RegistryError::Missed { plugin: source.to_string(), tried })
    }

    /// Asks one place.
    async fn at<T>(
        &self,
        endpoint: Endpoint,
        question: &impl AsyncFn(&Remote) -> Result<T, Miss>,
    ) -> Result<T, Miss> {
        question(&*self.remote(endpoint).await?).await
    }

    async fn remote(&self, endpoint: Endpoint) -> Result<Arc<Remote>, Miss> {
        let mut remotes = self.remotes.lock().await;
        if let Some(remote) = remotes.get(&endpoint) {
            return Ok(Arc::clone(remote));
        }
        let remote = Arc::new(Remote::new(endpoint.clone()).await?);
        remotes.insert(endpoint, Arc::clone(&remote));
        Ok(remote)
    }

    /// The registry itself, for what is written: never a mirror, never a folder.
    async fn origin(&self, source: &Source) -> Result<Arc<Remote>, RegistryError> {
        let endpoint = self.settings.origin(&source.registry);
        let host = endpoint.host.clone();
        self.remote(endpoint).await.map_err(|miss| missed(source, host, miss))
    }

    /// Gives a component to a registry under the source's tag. A tag that has another one is left as it is, unless
    /// `force`: whoever has locked it would be refused.
    pub async fn push(
        &self,
        source: &Source,
        component: &[u8],
        about: &About,
        force: bool,
    ) -> Result<Pushed, RegistryError> {
        let tag = source.tag.as_deref().ok_or_else(|| RegistryError::NoTag(source.name()))?;
        let made = artifact::make(component, about)
            .map_err(|why| RegistryError::NotComponent { plugin: about.name.clone(), why })?;
        let digest = made.digest();
        let remote = self.origin(source).await?;
        let of = |miss| missed(source, remote.name().to_owned(), miss);
        match remote.resolve(source, tag).await {
            Ok(there) if there == digest => return Ok(Pushed { digest, already: true }),
            Ok(there) if !force => {
                return Err(RegistryError::TagTaken { plugin: source.to_string(), digest: there });
            }
            Ok(_) | Err(Miss::NotFound) => {}
            // Many registries say so of a repository that is still to be made; the push itself will tell.
            Err(Miss::Denied(_)) => {}
            Err(miss) => return Err(of(miss)),
        }
        remote.push_blob(source, component).await.map_err(of)?;
        remote.push_blob(source, &made.config).await.map_err(of)?;
        remote.push_manifest(source, tag, &made.manifest).await.map_err(of)?;
        Ok(Pushed { digest, already: false })
    }

    /// Signs what a registry has, beside the signatures that are there. Signing again with the same key changes nothing.
    pub async fn sign(&self, source: &Source, key: &PrivateKey) -> Result<Digest, RegistryError> {
        let digest = match &source.digest {
            Some(digest) => digest.clone(),
            None => self.resolve(source).await?,
        };
        let remote = self.origin(source).await?;
        let of = |miss| missed(source, remote.name().to_owned(), miss);
        // What is signed is there, and is a component.
        let manifest = remote.manifest(source, &digest).await.map_err(of)?;
        let wrong = |why| RegistryError::NotComponent { plugin: source.to_string(), why };
        artifact::read(&manifest).map_err(wrong)?;
        let mut all = match self.signed_at(&remote, source, &digest).await {
            Ok(all) => all,
            Err(Miss::NotFound) => Vec::new(),
            Err(miss) => return Err(of(miss)),
        };
        let own = key.public().map_err(wrong)?;
        let name = String::new();
        let keys = [(&name, &own)];
        if all.iter().any(|signed| signed.signer(&source.identity(), &digest, &keys).is_ok()) {
            return Ok(digest);
        }
        all.push(Signed::make(source, &digest, key).map_err(wrong)?);
        let (manifest, config) = signature::manifest(&all).map_err(wrong)?;
        for signed in &all {
            remote.push_blob(source, &signed.statement).await.map_err(of)?;
        }
        remote.push_blob(source, &config).await.map_err(of)?;
        remote.push_manifest(source, &signature::tag(&digest), &manifest).await.map_err(of)?;
        self.keep_signatures(source, &digest, &all);
        Ok(digest)
    }

    async fn signed_at(
        &self,
        remote: &Remote,
        source: &Source,
        digest: &Digest,
    ) -> Result<Vec<Signed>, Miss> {
        let manifest = remote.resolve(source, &signature::tag(digest)).await?;
        let manifest = remote.manifest(source, &manifest).await?;
        let (_, listed) = signature::read(&manifest).map_err(Miss::Wrong)?;
        let mut all = Vec::new();
        for (blob, signature) in listed {
            all.push(Signed { statement: remote.blob(source, &blob).await?, signature });
        }
        Ok(all)
    }

    /// The signatures of a manifest that were seen before.
    pub(crate) fn kept_signatures(&self, source: &Source, digest: &Digest) -> Vec<Signed> {
        // Whatever is wrong with what is kept, the place that it came from is asked again.
        signatures_in(&self.cache, source, digest).unwrap_or_default().unwrap_or_default()
    }

    /// The signatures of a manifest, from every place that has some.
    pub(crate) async fn signatures(&self, source: &Source, digest: &Digest) -> Result<Found, RegistryError> {
        let mut found = Found::default();
        if let Some(offline) = &self.offline {
            found.signed = signatures_in(offline, source, digest)?.unwrap_or_default();
        } else {
            // A mirror may have been filled before the plugin was signed: each place is asked.
            for endpoint in self.settings.endpoints(&source.registry) {
                let host = endpoint.host.clone();
                let question = async |remote: &Remote| self.signed_at(remote, source, digest).await;
                match self.at(endpoint, &question).await {
                    Ok(signed) => found
                        .signed
                        .extend(signed.into_iter().filter(|s| !found.signed.contains(s)).collect::<Vec<_>>()),
                    Err(Miss::NotFound) => {}
                    Err(miss) => found.unasked.push((host, miss)),
                }
            }
        }
        if !found.signed.is_empty() {
            self.keep_signatures(source, digest, &found.signed);
        }
        Ok(found)
    }

    /// Keeps signatures with what was pulled. Where that fails they are asked for again.
    fn keep_signatures(&self, source: &Source, digest: &Digest, all: &[Signed]) {
        let _ = put_signatures(&self.cache, source, digest, all);
    }

    /// Copies a component and its signatures into a folder that can be used in place of registries; its digest.
    pub async fn copy(&self, source: &Source, folder: PathBuf) -> Result<Digest, RegistryError> {
        let pulled = self.pull(source, None).await?;
        let layouts = Layouts::new(folder);
        let (manifest, _) = self.manifest(source, &pulled.digest).await?;
        let wrong = |why| RegistryError::NotComponent { plugin: source.to_string(), why };
        let (config, _) = artifact::read(&manifest).map_err(wrong)?;
        let (config, _) = self.blob(source, &config).await?;
        layouts.put(source, &config)?;
        layouts.put(source, &pulled.component)?;
        layouts.put_manifest(source, source.tag.as_deref(), &manifest)?;
        let found = self.signatures(source, &pulled.digest).await?;
        if let Some((host, miss)) = found.unasked.into_iter().next().filter(|_| found.signed.is_empty()) {
            return Err(missed(source, host, miss));
        }
        if !found.signed.is_empty() {
            put_signatures(&layouts, source, &pulled.digest, &found.signed)?;
        }
        Ok(pulled.digest)
    }
}

fn missed(source: &Source, host: String, miss: Miss) -> RegistryError {
    RegistryError::Missed { plugin: source.to_string(), tried: vec![(host, miss)] }
}

fn signatures_in(
    layouts: &Layouts,
    source: &Source,
    digest: &Digest,
) -> Result<Option<Vec<Signed>>, RegistryError> {
    let Some(manifest) = layouts.tag(source, &signature::tag(digest))? else { return Ok(None) };
    let Some(manifest) = layouts.blob(source, &manifest, MAX_MANIFEST as u64)? else { return Ok(None) };
    let why = |why| RegistryError::Folder { path: layouts.root().to_owned(), why };
    let (_, listed) = signature::read(&manifest).map_err(why)?;
    let mut all = Vec::new();
    for (blob, signature) in listed {
        if let Some(statement) = layouts.blob(source, &blob.digest, blob.size)? {
            all.push(Signed { statement, signature });
        }
    }
    Ok(Some(all))
}

fn put_signatures(
    layouts: &Layouts,
    source: &Source,
    digest: &Digest,
    all: &[Signed],
) -> Result<(), RegistryError> {
    let why = |why| RegistryError::Folder { path: layouts.root().to_owned(), why };
    let (manifest, config) = signature::manifest(all).map_err(why)?;
    for signed in all {
        layouts.put(source, &signed.statement)?;
    }
    layouts.put(source, &config)?;
    layouts.put_manifest(source, Some(&signature::tag(digest)), &manifest)
}
