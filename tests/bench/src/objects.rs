//! The measured objects, written down in each tool's way. All of them say the same.

use std::fmt::Write as _;

use serde_json::{Value, json};

/// How many ConfigMaps there are.
pub(crate) const OBJECTS: usize = 1000;
/// The one that changes.
pub(crate) const CHANGED: usize = 500;
/// What each of them holds beside its number and its version: as much as a small configuration file.
const TEXT: &str = "listen 8080; root /srv/www; index index.html; error_log /dev/stderr warn; \
                    keepalive_timeout 65; client_max_body_size 8m; gzip on; gzip_types text/css;";

/// Whether the one has changed yet.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Version {
    One,
    Two,
}

impl Version {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::One => "one",
            Self::Two => "two",
        }
    }

    fn of(self, index: usize) -> &'static str {
        if index == CHANGED { self.name() } else { Self::One.name() }
    }
}

/// A ConfigMap.
pub(crate) fn object(index: usize, version: Version) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": format!("map-{index}")},
        "data": {"index": index.to_string(), "version": version.of(index), "server.conf": TEXT},
    })
}

/// For `kubectl apply -f`: one document an object.
pub(crate) fn manifests(version: Version) -> String {
    (0..OBJECTS).fold(String::new(), |mut all, index| {
        // Writing to a string cannot fail. JSON is YAML.
        let _ = writeln!(all, "---\n{}", object(index, version));
        all
    })
}

/// For Helm: a chart whose template makes them all.
pub(crate) fn chart() -> [(&'static str, String); 2] {
    let template = format!(
        "{{{{- range $i := until {OBJECTS} }}}}
---
apiVersion: v1
kind: ConfigMap
metadata: {{name: map-{{{{ $i }}}}}}
data:
  index: {{{{ $i | toString | quote }}}}
  version: {{{{ ternary $.Values.version \"one\" (eq $i {CHANGED}) | quote }}}}
  server.conf: {TEXT:?}
{{{{- end }}}}
"
    );
    [
        ("Chart.yaml", "apiVersion: v2\nname: bench\nversion: 1.0.0\n".to_owned()),
        ("templates/maps.yaml", template),
    ]
}

/// For Sheave: one resource with `for-each`.
pub(crate) fn blueprint() -> String {
    format!(
        "blueprint: bench
inputs:
  namespace: {{type: string}}
  version: {{type: string, default: one}}
targets:
  main: {{kubernetes: {{namespace: \"${{inputs.namespace}}\"}}}}
plugins:
  kubernetes: {{}}
resources:
  map:
    for-each: ${{range({OBJECTS})}}
    type: kubernetes:ConfigMap
    properties:
      metadata: {{name: \"map-${{each.key}}\"}}
      data:
        index: \"${{string(each.key)}}\"
        version: \"${{each.key == {CHANGED} ? inputs.version : 'one'}}\"
        server.conf: {TEXT:?}
"
    )
}
