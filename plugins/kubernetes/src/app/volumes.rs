//! What is mounted, and the claims that an app makes for itself.

use sheave_sdk::{Object, Value, dns_label, json};

use super::names::Names;
use super::props::{Props, Volume};
use super::put;

/// The pod's `volumes` and the container's `volumeMounts`.
pub(crate) fn mounted(names: &Names, props: &Props) -> (Vec<Value>, Vec<Value>) {
    let all = props.volumes.iter().flatten();
    all.map(|(path, volume)| {
        let name = name_of(path);
        let mut mount = json!({"name": name, "mountPath": path});
        put(&mut mount, "subPath", volume.sub_path.clone());
        put(&mut mount, "readOnly", volume.read_only);
        let mut source = json!({"name": name});
        if let Some(secret) = &volume.secret {
            source["secret"] = json!({"secretName": secret});
        } else if let Some(config) = &volume.config {
            source["configMap"] = json!({"name": config});
        } else if let Some(claim) = &volume.claim {
            source["persistentVolumeClaim"] = json!({"claimName": claim});
        } else if volume.size.is_some() {
            source["persistentVolumeClaim"] = json!({"claimName": names.of(&name)});
        } else {
            source["emptyDir"] = json!({});
        }
        (source, mount)
    })
    .unzip()
}

/// The claims for storage of its own.
pub(crate) fn claims(names: &Names, props: &Props) -> Vec<Object> {
    let all = props.volumes.iter().flatten();
    all.filter_map(|(path, volume)| {
        let size = volume.size.as_ref()?;
        let name = name_of(path);
        let mut spec = json!({
            "accessModes": [volume.access.unwrap_or_default().name()],
            "resources": {"requests": {"storage": size.0}},
        });
        put(&mut spec, "storageClassName", volume.class.clone());
        let claim = json!({
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": names.metadata(names.of(&name)),
            "spec": spec,
        });
        Some(Object::new(format!("claim-{name}"), claim))
    })
    .collect()
}

/// Whether the pods of one node at a time can have it.
pub(crate) fn is_exclusive(volume: &Volume) -> bool {
    volume.size.is_some() && !volume.access.unwrap_or_default().is_shared()
}

/// The name of what is mounted at a path: the same whatever else is mounted. Where letters of the path are lost, a hash
/// keeps it apart from others.
fn name_of(path: &str) -> String {
    let plain = |part: &str| part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    let parts: Vec<_> = path.split('/').filter(|part| !part.is_empty()).collect();
    if !parts.is_empty() && parts.iter().all(|part| plain(part)) {
        return dns_label(&parts.join("-"));
    }
    dns_label(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_paths_stay_apart() {
        assert_eq!(name_of("/var/lib/data"), "var-lib-data");
        let paths = ["/var/lib", "/var-lib", "/var.lib", "/VAR/lib", "/", "/v\u{e4}r/lib", "/var_lib"];
        let mut names: Vec<_> = paths.iter().map(|path| name_of(path)).collect();
        assert!(names.iter().all(|name| crate::checks::is_dns_label(name)), "{names:?}");
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), paths.len(), "{names:?}");
    }
}
