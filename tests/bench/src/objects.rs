//! The measured objects, written down in each tool's way. All of them say the same.

use std::fmt::Write as _;

use serde_json::{Value, json};

/// What each ConfigMap holds beside its number and its version: as much as a small configuration file.
const TEXT: &str = "listen 8080; root /srv/www; index index.html; error_log /dev/stderr warn; \
                    keepalive_timeout 65; client_max_body_size 8m; gzip on; gzip_types text/css;";

/// Namespaces of a mixed load.
const NAMESPACES: usize = 20;

/// From how many objects on Helm is left out: it keeps a release in one Secret, which holds a MiB.
const TOO_MANY_FOR_HELM: usize = 2_000;

/// What is applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Load {
    /// So many ConfigMaps in one namespace.
    Maps(usize),
    /// So many objects of five kinds in twenty namespaces.
    Mixed(usize),
}

/// The kinds of a mixed load. In ten objects there are five ConfigMaps, two Secrets, and one of each other kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    ConfigMap,
    Secret,
    ServiceAccount,
    Role,
    Service,
}

impl Kind {
    const ALL: [Self; 5] = [Self::ConfigMap, Self::Secret, Self::ServiceAccount, Self::Role, Self::Service];

    fn of_ten(self) -> usize {
        match self {
            Self::ConfigMap => 5,
            Self::Secret => 2,
            Self::ServiceAccount | Self::Role | Self::Service => 1,
        }
    }

    fn api_version(self) -> &'static str {
        if self == Self::Role { "rbac.authorization.k8s.io/v1" } else { "v1" }
    }

    /// The path of its collection in a namespace.
    pub(crate) fn path(self, namespace: &str) -> String {
        let plural = match self {
            Self::ConfigMap => "configmaps",
            Self::Secret => "secrets",
            Self::ServiceAccount => "serviceaccounts",
            Self::Role => "roles",
            Self::Service => "services",
        };
        let root = if self == Self::Role { "/apis/rbac.authorization.k8s.io/v1" } else { "/api/v1" };
        format!("{root}/namespaces/{namespace}/{plural}")
    }

    /// Beginnings of a resource's, an object's and a template's names.
    fn word(self) -> &'static str {
        match self {
            Self::ConfigMap => "map",
            Self::Secret => "secret",
            Self::ServiceAccount => "account",
            Self::Role => "role",
            Self::Service => "service",
        }
    }

    /// What it says beside its name, JSON with `INDEX` and `VERSION` in it.
    fn content(self) -> Value {
        match self {
            Self::ConfigMap => {
                json!({"data": {"index": "INDEX", "version": "VERSION", "server.conf": TEXT}})
            }
            Self::Secret => json!({"data": {"key": "c2VjcmV0"}}),
            Self::ServiceAccount => json!({"automountServiceAccountToken": false}),
            Self::Role => {
                json!({"rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]}]})
            }
            Self::Service => {
                json!({"spec": {"selector": {"app": "web"}, "ports": [{"name": "http", "port": 80}]}})
            }
        }
    }
}

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
}

/// One of the objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Item {
    pub(crate) kind: Kind,
    pub(crate) index: usize,
}

impl Item {
    pub(crate) fn name(self) -> String {
        format!("{}-{}", self.kind.word(), self.index)
    }
}

impl Load {
    /// As it is written on the command line: `maps-1000`, `mixed-10000`.
    pub(crate) fn name(self) -> String {
        match self {
            Self::Maps(objects) => format!("maps-{objects}"),
            Self::Mixed(objects) => format!("mixed-{objects}"),
        }
    }

    pub(crate) fn read(name: &str) -> Option<Self> {
        let (word, objects) = name.split_once('-')?;
        let objects = objects.parse::<usize>().ok().filter(|n| *n > 0 && n.is_multiple_of(10))?;
        match word {
            "maps" => Some(Self::Maps(objects)),
            "mixed" => Some(Self::Mixed(objects)),
            _ => None,
        }
    }

    pub(crate) fn title(self) -> String {
        match self {
            Self::Maps(objects) => format!("{objects} ConfigMaps"),
            Self::Mixed(objects) => format!("{objects} objects of five kinds in {NAMESPACES} namespaces"),
        }
    }

    pub(crate) fn objects(self) -> usize {
        match self {
            Self::Maps(objects) | Self::Mixed(objects) => objects,
        }
    }

    pub(crate) fn suits_helm(self) -> bool {
        self.objects() <= TOO_MANY_FOR_HELM
    }

    pub(crate) fn kinds(self) -> impl Iterator<Item = (Kind, usize)> {
        let of = move |kind: Kind| match self {
            Self::Maps(objects) if kind == Kind::ConfigMap => objects,
            Self::Maps(_) => 0,
            Self::Mixed(objects) => objects / 10 * kind.of_ten(),
        };
        Kind::ALL.into_iter().map(move |kind| (kind, of(kind))).filter(|(_, count)| *count > 0)
    }

    pub(crate) fn items(self) -> impl Iterator<Item = Item> {
        self.kinds().flat_map(|(kind, count)| (0..count).map(move |index| Item { kind, index }))
    }

    /// The one that changes.
    pub(crate) fn changed(self) -> Item {
        Item { kind: Kind::ConfigMap, index: self.objects() / 4 }
    }

    /// All namespaces, under one name that begins them.
    pub(crate) fn namespaces(self, base: &str) -> Vec<String> {
        match self {
            Self::Maps(_) => vec![base.to_owned()],
            Self::Mixed(_) => (0..NAMESPACES).map(|n| format!("{base}-{n}")).collect(),
        }
    }

    pub(crate) fn namespace(self, base: &str, item: Item) -> String {
        match self {
            Self::Maps(_) => base.to_owned(),
            Self::Mixed(_) => format!("{base}-{}", item.index % NAMESPACES),
        }
    }

    /// An object.
    pub(crate) fn object(self, base: &str, item: Item, version: Version) -> Value {
        let version = if item == self.changed() { version } else { Version::One };
        let text = item.kind.content().to_string();
        let text = text.replace("INDEX", &item.index.to_string()).replace("VERSION", version.name());
        let mut object: Value = serde_json::from_str(&text).unwrap_or_default();
        object["apiVersion"] = item.kind.api_version().into();
        object["kind"] = format!("{:?}", item.kind).into();
        object["metadata"] = json!({"name": item.name(), "namespace": self.namespace(base, item)});
        object
    }

    /// For `kubectl apply -f`: one document an object.
    pub(crate) fn manifests(self, base: &str, version: Version) -> String {
        self.items().fold(String::new(), |mut all, item| {
            // Writing to a string cannot fail. JSON is YAML.
            let _ = writeln!(all, "---\n{}", self.object(base, item, version));
            all
        })
    }

    /// For Helm: a chart whose templates make them all.
    pub(crate) fn chart(self) -> Vec<(String, String)> {
        let mut files =
            vec![("Chart.yaml".to_owned(), "apiVersion: v2\nname: bench\nversion: 1.0.0\n".to_owned())];
        for (kind, count) in self.kinds() {
            let word = kind.word();
            let namespace = match self {
                Self::Maps(_) => "{{ $.Release.Namespace }}".to_owned(),
                Self::Mixed(_) => format!("{{{{ $.Values.base }}}}-{{{{ mod $i {NAMESPACES} }}}}"),
            };
            let changed = self.changed().index;
            let content = kind.content().to_string();
            let content = content
                .replace("INDEX", "{{ $i }}")
                .replace("VERSION", &format!("{{{{ ternary $.Values.version `one` (eq $i {changed}) }}}}"));
            // The content's own braces, without the outer ones: fields of the object.
            let fields = content.trim_start_matches('{');
            let text = format!(
                "{{{{- range $i := until {count} }}}}
---
{{\"apiVersion\": \"{}\", \"kind\": \"{kind:?}\", \"metadata\": {{\"name\": \"{word}-{{{{ $i }}}}\", \"namespace\": \"{namespace}\"}}, {fields}
{{{{- end }}}}
",
                kind.api_version(),
            );
            files.push((format!("templates/{word}.yaml"), text));
        }
        files
    }

    /// For Sheave: a resource with `for-each` a kind.
    pub(crate) fn blueprint(self) -> String {
        let mut text = "blueprint: bench
inputs:
  base: {type: string}
  version: {type: string, default: one}
targets:
  main: {kubernetes: {namespace: \"${inputs.base}\"}}
plugins:
  kubernetes: {}
resources:
"
        .to_owned();
        if let Self::Mixed(_) = self {
            text = text.replace("namespace: \"${inputs.base}\"", "namespace: \"${inputs.base}-0\"");
        }
        let changed = self.changed().index;
        for (kind, count) in self.kinds() {
            let word = kind.word();
            let namespace = match self {
                Self::Maps(_) => String::new(),
                Self::Mixed(_) => {
                    format!(", namespace: \"${{inputs.base}}-${{string(each.key % {NAMESPACES})}}\"")
                }
            };
            let _ = write!(
                text,
                "  {word}:
    for-each: ${{range({count})}}
    type: kubernetes:{kind:?}
    properties:
      metadata: {{name: \"{word}-${{each.key}}\"{namespace}}}
"
            );
            for (field, value) in kind.content().as_object().into_iter().flatten() {
                let value = value
                    .to_string()
                    .replace("INDEX", "${string(each.key)}")
                    .replace("VERSION", &format!("${{each.key == {changed} ? inputs.version : 'one'}}"));
                let _ = writeln!(text, "      {field}: {value}");
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_load_is_as_large_as_it_says() {
        for load in [Load::Maps(100), Load::Mixed(1000)] {
            assert_eq!(load.items().count(), load.objects());
            assert!(load.items().any(|item| item == load.changed()));
            assert_eq!(Load::read(&load.name()), Some(load));
        }
        assert_eq!(Load::read("mixed-15"), None);
    }

    #[test]
    fn only_one_object_differs_between_the_versions() {
        let load = Load::Mixed(200);
        let differ =
            |item: &Item| load.object("b", *item, Version::One) != load.object("b", *item, Version::Two);
        assert_eq!(load.items().filter(differ).collect::<Vec<_>>(), [load.changed()]);
    }
}
