//! The form of a component in a registry: the CNCF's wasm OCI artifact, as `wkg` and other tools write and read it.
//!
//! One layer of the component's bytes; a config that names what it imports and exports. The form is fixed in
//! <https://tag-runtime.cncf.io/wgs/wasm/deliverables/wasm-oci-artifact/>.

use std::collections::BTreeMap;

use oci_client::manifest::{OCI_IMAGE_MEDIA_TYPE, OciDescriptor, OciImageManifest};
use serde::Serialize;
use wasmparser::{Parser, Payload};

use crate::digest::Digest;

/// The media type of a component's config.
pub(crate) const CONFIG: &str = "application/vnd.wasm.config.v0+json";
/// The media type of a component's bytes.
pub(crate) const LAYER: &str = "application/wasm";

/// The largest component that is taken from anywhere: the largest known guest, Python's, has 18 MB.
pub const MAX_COMPONENT: u64 = 64 << 20;
/// The largest manifest: the distribution specification advises registries to take no larger ones.
pub(crate) const MAX_MANIFEST: usize = 4 << 20;

/// The config's time where nobody says another: the same component is the same artifact, whenever it is pushed.
const NO_TIME: &str = "1970-01-01T00:00:00Z";

/// What a component says of itself in a registry's lists.
#[derive(Clone, Debug, Default)]
pub struct About {
    /// The plugin's name.
    pub name: String,
    /// Its version.
    pub version: Option<String>,
    /// The licence, as SPDX writes it.
    pub licence: Option<String>,
    /// One line on what it is.
    pub summary: Option<String>,
}

/// A component as it is pushed.
#[derive(Debug)]
pub(crate) struct Artifact {
    pub(crate) manifest: Vec<u8>,
    pub(crate) config: Vec<u8>,
}

impl Artifact {
    /// The digest that names it.
    pub(crate) fn digest(&self) -> Digest {
        Digest::of(&self.manifest)
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WasmConfig {
    created: &'static str,
    architecture: &'static str,
    os: &'static str,
    layer_digests: Vec<Digest>,
    component: ComponentNames,
}

#[derive(Serialize)]
struct ComponentNames {
    exports: Vec<String>,
    imports: Vec<String>,
    target: Option<String>,
}

/// Makes a component's manifest and config. The same component, described the same, gives the same bytes.
pub(crate) fn make(component: &[u8], about: &About) -> Result<Artifact, String> {
    let (imports, exports) = names(component)?;
    let config = WasmConfig {
        created: NO_TIME,
        architecture: "wasm",
        os: "wasip2",
        layer_digests: vec![Digest::of(component)],
        component: ComponentNames { exports, imports, target: None },
    };
    let config = serde_json::to_vec(&config).map_err(|e| e.to_string())?;
    let mut annotations = BTreeMap::from([("org.opencontainers.image.title".to_owned(), about.name.clone())]);
    for (key, value) in
        [("version", &about.version), ("licenses", &about.licence), ("description", &about.summary)]
    {
        if let Some(value) = value {
            annotations.insert(format!("org.opencontainers.image.{key}"), value.clone());
        }
    }
    let manifest = OciImageManifest {
        schema_version: 2,
        media_type: Some(OCI_IMAGE_MEDIA_TYPE.to_owned()),
        config: descriptor(CONFIG, &config),
        layers: vec![descriptor(LAYER, component)],
        subject: None,
        artifact_type: None,
        annotations: Some(annotations),
    };
    let manifest = serde_json::to_vec(&manifest).map_err(|e| e.to_string())?;
    Ok(Artifact { manifest, config })
}

/// What a manifest says of these bytes.
pub(crate) fn descriptor(media_type: &str, bytes: &[u8]) -> OciDescriptor {
    OciDescriptor {
        media_type: media_type.to_owned(),
        digest: Digest::of(bytes).to_string(),
        size: i64::try_from(bytes.len()).unwrap_or(i64::MAX),
        ..OciDescriptor::default()
    }
}

/// A blob that a manifest lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Blob {
    pub(crate) digest: Digest,
    pub(crate) size: u64,
}

impl Blob {
    pub(crate) fn of(descriptor: &OciDescriptor) -> Result<Self, String> {
        let digest = Digest::parse(&descriptor.digest).ok_or("a digest in it is none of SHA-256")?;
        let size = u64::try_from(descriptor.size).map_err(|_| "a size in it is below zero")?;
        Ok(Self { digest, size })
    }
}

/// The config and the component that a manifest lists; why there is none where it is of another thing.
pub(crate) fn read(manifest: &[u8]) -> Result<(Blob, Blob), String> {
    let manifest = parse(manifest)?;
    if manifest.config.media_type != CONFIG {
        return Err(format!("its config is `{}`, a component's is `{CONFIG}`", manifest.config.media_type));
    }
    let [layer] = manifest.layers.as_slice() else {
        return Err(format!("it has {} layers, a component has one", manifest.layers.len()));
    };
    if layer.media_type != LAYER {
        return Err(format!("its layer is `{}`, a component's is `{LAYER}`", layer.media_type));
    }
    let component = Blob::of(layer)?;
    if component.size > MAX_COMPONENT {
        return Err(format!("it has {} bytes, {MAX_COMPONENT} are allowed", component.size));
    }
    let config = Blob::of(&manifest.config)?;
    if config.size > MAX_MANIFEST as u64 {
        return Err(format!("its config has {} bytes, {MAX_MANIFEST} are allowed", config.size));
    }
    Ok((config, component))
}

/// An image manifest, of whatever it may be.
pub(crate) fn parse(manifest: &[u8]) -> Result<OciImageManifest, String> {
    let manifest: OciImageManifest =
        serde_json::from_slice(manifest).map_err(|e| format!("its manifest cannot be read: {e}"))?;
    match manifest.schema_version {
        2 => Ok(manifest),
        other => Err(format!("its manifest has schema version {other}, 2 is known")),
    }
}

/// The names of a component's imports and exports.
fn names(component: &[u8]) -> Result<(Vec<String>, Vec<String>), String> {
    let (mut imports, mut exports, mut depth) = (Vec::new(), Vec::new(), 0_u32);
    for payload in Parser::new(0).parse_all(component) {
        match payload.map_err(|e| e.to_string())? {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentImportSection(section) if depth == 0 => {
                for import in section {
                    imports.push(import.map_err(|e| e.to_string())?.name.name.to_owned());
                }
            }
            Payload::ComponentExportSection(section) if depth == 0 => {
                for export in section {
                    exports.push(export.map_err(|e| e.to_string())?.name.name.to_owned());
                }
            }
            _ => {}
        }
    }
    Ok((imports, exports))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The shortest component: a header and nothing else.
    const EMPTY: &[u8] = b"\0asm\x0d\0\x01\0";

    fn about() -> About {
        About { name: "dns".into(), version: Some("1.2.0".into()), licence: None, summary: None }
    }

    #[test]
    fn what_is_made_is_read_again_and_is_the_same_each_time() {
        let made = make(EMPTY, &about()).unwrap();
        let (config, component) = read(&made.manifest).unwrap();
        assert_eq!(component, Blob { digest: Digest::of(EMPTY), size: 8 });
        assert_eq!(config.digest, Digest::of(&made.config));
        assert_eq!(make(EMPTY, &about()).unwrap().digest(), made.digest());
        let other = About { version: Some("1.2.1".into()), ..about() };
        assert_ne!(make(EMPTY, &other).unwrap().digest(), made.digest());
    }

    #[test]
    fn the_config_is_of_the_known_form() {
        let config: serde_json::Value =
            serde_json::from_slice(&make(EMPTY, &about()).unwrap().config).unwrap();
        assert_eq!(
            config,
            serde_json::json!({
                "created": "1970-01-01T00:00:00Z", "architecture": "wasm", "os": "wasip2",
                "layerDigests": [Digest::of(EMPTY)],
                "component": {"exports": [], "imports": [], "target": null},
            })
        );
    }

    #[test]
    fn other_things_say_what_they_are() {
        let made = make(EMPTY, &about()).unwrap();
        let manifest: serde_json::Value = serde_json::from_slice(&made.manifest).unwrap();
        let with = |pointer: &str, value: serde_json::Value| {
            let mut changed = manifest.clone();
            *changed.pointer_mut(pointer).unwrap() = value;
            read(&serde_json::to_vec(&changed).unwrap()).unwrap_err()
        };
        assert!(
            with("/config/mediaType", "application/vnd.oci.image.config.v1+json".into()).contains("config")
        );
        assert!(with("/layers/0/mediaType", "x/y".into()).contains("x/y"));
        assert!(with("/layers", serde_json::json!([])).contains("0 layers"));
        assert!(with("/layers/0/digest", "sha512:00".into()).contains("SHA-256"));
        assert!(with("/layers/0/size", (-1).into()).contains("below zero"));
        assert!(with("/layers/0/size", (MAX_COMPONENT + 1).into()).contains("allowed"));
        assert!(with("/schemaVersion", 1.into()).contains("version 1"));
        assert!(read(b"{}").is_err() && read(b"\xff").is_err());
        assert!(make(b"no wasm", &about()).is_err());
    }
}
