//! Laws of asks and grants, over small random ones.

#![allow(clippy::unwrap_used, reason = "helpers of tests assert by panicking, as tests do")]

use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use sheave_model::asked::{difference, effective};
use sheave_model::grants::*;
use sheave_model::manifest::*;
use sheave_model::patterns::{HostPattern, KindPattern, NamePattern};

fn some<T: Clone + std::fmt::Debug + 'static>(of: Vec<T>) -> impl Strategy<Value = Vec<T>> {
    let most = of.len();
    subsequence(of, 0..=most)
}

fn kinds() -> impl Strategy<Value = Vec<KindPattern>> {
    some(
        ["ConfigMap", "Deployment", "apps/Deployment", "apps/*", "x.io/*", "x.io/A"]
            .map(|t| t.parse().unwrap())
            .into(),
    )
}

fn names() -> impl Strategy<Value = Vec<NamePattern>> {
    some(["*", "team-*", "team-a", "blog"].map(|t| t.parse().unwrap()).into())
}

fn host() -> impl Strategy<Value = HostPattern> {
    select(vec!["*", "*.a.x", "b.a.x", "c.x"]).prop_map(|t| t.parse().unwrap())
}

fn methods() -> impl Strategy<Value = Vec<String>> {
    some(vec!["GET".to_owned(), "POST".to_owned()])
}

fn ports() -> impl Strategy<Value = Vec<u16>> {
    some(vec![80, 443])
}

prop_compose! {
    fn emit()(
        kinds in proptest::option::of(kinds()), namespaces in names(), targets in names(), cluster_scoped in kinds(),
        allow in some(Danger::ALL.map(|(_, d)| d).into()),
        pointers in some(vec!["/data", "/data/a", "/spec"]),
    ) -> EmitGrant {
        let place = |p: &str| SecretPlace { kind: "ConfigMap".parse().unwrap(), pointer: p.into() };
        let secrets_in = pointers.into_iter().map(place).collect();
        EmitGrant { kinds, namespaces, targets, cluster_scoped, allow, secrets_in }
    }
}

prop_compose! {
    fn host_grant()(host in host(), ports in ports(), methods in methods(), private: bool, plain: bool) -> HostGrant {
        HostGrant { host, ports, methods, private, plain }
    }
}

prop_compose! {
    fn grants()(
        access in proptest::option::of(select(vec![Access::Read, Access::Write])),
        hosts in proptest::collection::vec(host_grant(), 0..3), connection in proptest::option::of(methods()),
        flags: [bool; 5], read_kinds in kinds(), read_names in names(), emit in emit(),
    ) -> Grants {
        let mut http: Vec<HttpGrant> = hosts.into_iter().map(HttpGrant::Host).collect();
        http.extend(connection.map(|methods| {
            HttpGrant::Connection(ConnectionGrant { connection: "api".into(), methods })
        }));
        Grants {
            filesystem: access.map(|access| FolderGrant { path: "/x".into(), access }).into_iter().collect(),
            http,
            clock: flags[0],
            random: flags[1],
            env: if flags[2] { [("A".to_owned(), "b".to_owned())].into() } else { Default::default() },
            args: if flags[3] { vec!["-v".into()] } else { Vec::new() },
            read: if read_kinds.is_empty() { vec![] } else {
                vec![ReadGrant { kinds: read_kinds, namespaces: read_names }]
            },
            reveal: if flags[4] { vec!["inputs.a".into()] } else { Vec::new() },
            emit,
            limits: LimitRaises::default(),
        }
    }
}

/// Asks for just what is granted.
fn asks_of(grants: &Grants) -> Asks {
    let why = || "w".to_owned();
    let reason = |given: bool| given.then(|| Reason { why: why() });
    let emit = &grants.emit;
    Asks {
        filesystem: grants
            .filesystem
            .iter()
            .map(|f| FolderAsk { path: None, access: f.access, why: why() })
            .collect(),
        http: grants
            .http
            .iter()
            .map(|http| match http {
                HttpGrant::Connection(c) => HttpAsk::Connection(ConnectionAsk {
                    connection: c.connection.parse().unwrap(),
                    methods: c.methods.clone(),
                    why: why(),
                }),
                HttpGrant::Host(h) => HttpAsk::Host(HostAsk {
                    host: h.host.clone(),
                    ports: h.ports().to_vec(),
                    methods: h.methods.clone(),
                    private: h.private,
                    plain: h.plain,
                    why: why(),
                }),
            })
            .collect(),
        clock: reason(grants.clock),
        random: reason(grants.random),
        env: grants.env.keys().map(|k| (k.clone(), Reason { why: why() })).collect(),
        args: reason(!grants.args.is_empty()),
        read: grants
            .read
            .iter()
            .map(|r| ReadAsk { kinds: r.kinds.clone(), namespaces: r.namespaces.clone(), why: why() })
            .collect(),
        reveal: reason(!grants.reveal.is_empty()),
        emit: Some(EmitAsk {
            kinds: emit.kinds.clone(),
            namespaces: emit.namespaces.clone(),
            targets: emit.targets.clone(),
            cluster_scoped: emit.cluster_scoped.clone(),
            allow: emit.allow.clone(),
            secrets_in: emit.secrets_in.clone(),
            why: why(),
        }),
        limits: None,
    }
}

/// Whether a request is allowed, as who enforces it looks at it.
fn reaches(grants: &Grants, name: &str, port: u16, method: &str, private: bool, plain: bool) -> bool {
    grants.http.iter().any(|http| match http {
        HttpGrant::Host(h) => {
            h.host.matches(name)
                && h.ports().contains(&port)
                && allows_method(&h.methods, method)
                && (h.private || !private)
                && (h.plain || !plain)
        }
        HttpGrant::Connection(_) => false,
    })
}

fn places(grants: &Grants, namespace: &str, pointer: &str, danger: Danger) -> [bool; 3] {
    let emit = &grants.emit;
    [
        emit.namespaces.iter().any(|n| n.matches(namespace)),
        emit.secrets_in.iter().any(|p| p.kind.matches("", "ConfigMap") && p.holds(pointer)),
        emit.allow.contains(&danger),
    ]
}

fn emits(grants: &Grants, group: &str, kind: &str) -> bool {
    grants.emit.kinds.as_ref().is_none_or(|k| k.iter().any(|k| k.matches(group, kind)))
}

proptest! {
    #[test]
    fn nobody_gets_more_than_granted_or_asked(asked in grants(), granted in grants()) {
        let held = effective(&asks_of(&asked), &granted).grants;
        for name in ["b.a.x", "z.a.x", "a.x", "c.x", "other"] {
            for port in [80, 443] {
                for (method, private, plain) in
                    [("GET", false, false), ("POST", true, false), ("GET", false, true), ("PUT", true, true)]
                {
                    if reaches(&held, name, port, method, private, plain) {
                        prop_assert!(reaches(&granted, name, port, method, private, plain));
                        prop_assert!(reaches(&asked, name, port, method, private, plain));
                    }
                }
            }
        }
        for (namespace, pointer, danger) in
            [("blog", "/data/a", Danger::Rbac), ("team-b", "/data", Danger::HostPath), ("x", "/spec/b", Danger::Webhooks)]
        {
            let [mine, theirs, ours] =
                [&held, &granted, &asked].map(|g| places(g, namespace, pointer, danger));
            for i in 0..3 {
                prop_assert_eq!(mine[i], theirs[i] && ours[i]);
            }
        }
        for (group, kind) in [("", "ConfigMap"), ("apps", "Deployment"), ("x.io", "A"), ("x.io", "Deployment")] {
            prop_assert_eq!(emits(&held, group, kind), emits(&granted, group, kind) && emits(&asked, group, kind));
        }
        let access = |g: &Grants| g.filesystem.iter().map(|f| f.access).max();
        prop_assert_eq!(access(&held), access(&asked).min(access(&granted)));
        prop_assert_eq!(held.clock, asked.clock && granted.clock);
        prop_assert_eq!(held.reveal.is_empty(), asked.reveal.is_empty() || granted.reveal.is_empty());
    }

    #[test]
    fn what_is_asked_and_granted_alike_is_whole(granted in grants()) {
        let found = effective(&asks_of(&granted), &granted);
        prop_assert_eq!(&found.unasked, &Vec::<String>::new());
        prop_assert_eq!(&found.ungranted, &Vec::<String>::new());
    }

    #[test]
    fn nothing_asked_is_nothing_held(granted in grants()) {
        let held = effective(&Asks::default(), &granted).grants;
        prop_assert_eq!(Grants { emit: EmitGrant { kinds: None, ..held.emit.clone() }, ..held }, Grants::default());
    }

    #[test]
    fn a_difference_is_seen_from_both_sides(old in grants(), new in grants()) {
        let (old, new) = (asks_of(&old), asks_of(&new));
        let (there, back) = (difference(&old, &new), difference(&new, &old));
        prop_assert_eq!(&there.widened, &back.narrowed);
        prop_assert_eq!(&there.narrowed, &back.widened);
        prop_assert_eq!(difference(&old, &old), Default::default());
    }

    /// What is not called wider gets nothing more, whatever is granted.
    #[test]
    fn what_is_not_wider_gets_no_more(old in grants(), new in grants(), granted in grants()) {
        let (before, after) = (asks_of(&old), asks_of(&new));
        if difference(&before, &after).widened.is_empty() {
            let (old, new) = (effective(&before, &granted).grants, effective(&after, &granted).grants);
            for name in ["b.a.x", "z.a.x", "c.x"] {
                for port in [80, 443] {
                    prop_assert!(!reaches(&new, name, port, "GET", true, true) || reaches(&old, name, port, "GET", true, true));
                }
            }
            for i in 0..3 {
                let at = |g: &Grants| places(g, "team-b", "/data/a", Danger::Rbac)[i];
                prop_assert!(!at(&new) || at(&old));
            }
            prop_assert!(new.filesystem.iter().all(|f| old.filesystem.contains(f)
                || old.filesystem.iter().any(|o| o.access >= f.access)));
        }
    }

    #[test]
    fn grants_are_read_as_written(granted in grants()) {
        let text = serde_json::to_string(&granted).unwrap();
        prop_assert_eq!(serde_json::from_str::<Grants>(&text).unwrap(), granted);
    }
}

#[test]
fn an_update_is_told_in_words() {
    let read = |text: &str| serde_json::from_str::<Asks>(text).unwrap();
    let old = read(
        r#"{"filesystem": [{"access": "read", "why": "w"}], "http": [{"host": "a.x", "methods": ["GET"], "why": "w"}]}"#,
    );
    let new = read(
        r#"{"filesystem": [{"access": "write", "why": "v"}], "http": [{"host": "a.x", "why": "w"}], "reveal": {"why": "w"},
            "emit": {"cluster-scoped": ["ClusterRole"], "allow": ["rbac"], "namespaces": ["*"], "why": "w"}}"#,
    );
    let found = difference(&old, &new);
    assert_eq!(
        found.widened,
        [
            "read and write the folder",
            "speak HTTP with `a.x`",
            "see secrets",
            "emit into the namespace `*`",
            "emit the cluster-scoped kind `ClusterRole`",
            "emit what is dangerous: rbac",
        ]
    );
    assert_eq!(found.narrowed, Vec::<String>::new());
}
