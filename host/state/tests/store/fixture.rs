//! Stacks and entries to store.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::json;
use sheave_model::event::{Event, What};
use sheave_model::journal::{Change, Entry, Intent, Outcome, RunRecord};
use sheave_model::plan::{Action, BlueprintText, Counts, ObjectOrder, PLAN_FORMAT, Plan, Purpose};
use sheave_model::plugin::{Grants, ObjectId, PluginPin, Role};
use sheave_model::stack::{ObjectRecord, ResourceRecord, SnapshotRecord, StackState, Status};
use sheave_model::{Address, Masked, Sealed, TypeName};
use sheave_state::SqliteStore;

/// A store in `folder`.
pub(crate) async fn open(folder: &Path) -> SqliteStore {
    sheave_state::open(&url(folder)).await.unwrap()
}

pub(crate) fn url(folder: &Path) -> String {
    format!("sqlite:{}/.sheave/state.db", folder.display())
}

/// What the entries add up to, without any store.
pub(crate) fn fold(stack: &str, entries: &[Entry]) -> StackState {
    let mut state = StackState { name: stack.to_owned(), ..StackState::default() };
    entries.iter().for_each(|entry| state.record(entry));
    state
}

pub(crate) fn address(i: usize) -> Address {
    Address::new("web").with_key(sheave_model::Key::Index(i as u64))
}

pub(crate) fn plugin(digest: &str) -> PluginPin {
    PluginPin {
        name: "kubernetes".into(),
        source: "builtin".into(),
        digest: digest.into(),
        grants: Grants::default(),
    }
}

pub(crate) fn object(i: usize, slot: &str) -> ObjectRecord {
    ObjectRecord {
        slot: slot.into(),
        target: "main".into(),
        id: ObjectId {
            api_version: "apps/v1".into(),
            kind: "Deployment".into(),
            namespace: Some("blog".into()),
            name: format!("web-{i}-{slot}"),
        },
        uid: None,
        created: true,
        desired: "8d969eef6ecad3c29a3a629280e686cf".into(),
        owned: "0f0c3f5d5086acff8d04d5d5086acff8".into(),
        order: ObjectOrder { rank: 40, ..ObjectOrder::default() },
    }
}

/// A record such as an App's: a kilobyte of properties, no objects yet.
pub(crate) fn record(i: usize) -> ResourceRecord {
    let env: BTreeMap<_, _> = (0..12)
        .map(|n| {
            (format!("SETTING_{n}"), json!(format!("value number {n} of resource {i}, of a usual length")))
        })
        .collect();
    ResourceRecord {
        type_name: TypeName::new("kubernetes", "App"),
        role: Role::Emits,
        plugin: plugin("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"),
        settings: Sealed::default(),
        schema_version: 1,
        target: Some("main".into()),
        requires: vec![Address::new("db")],
        keep: None,
        properties: Masked::from(json!({
            "image": "registry.example/web:1.2.3", "replicas": i, "ratio": 0.1 + 0.2, "env": env,
            "password": {"$secret": "b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9"},
        })),
        render_key: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855".into(),
        status: Status::Applying,
        outputs: None,
        objects: Vec::new(),
        snapshot: None,
        named: None,
        protect: false,
        watched: None,
        renewing: false,
    }
}

pub(crate) fn snapshot(id: &str) -> SnapshotRecord {
    SnapshotRecord {
        id: id.into(),
        state: Sealed(json!({"size": 3, "token": {"$sealed": "v1.00000000.AAAA"}})),
        outputs: Sealed::default(),
        private: Sealed(json!({"$sealed": "v1.00000000.BBBB"})),
    }
}

pub(crate) fn begun(i: usize) -> Entry {
    Entry::ResourceBegun { address: address(i), record: Box::new(record(i)) }
}

pub(crate) fn intent(i: usize, slot: &str) -> Entry {
    Entry::Intent(Intent {
        op: op(i, slot),
        address: address(i),
        change: Change::ApplyObject { object: object(i, slot) },
    })
}

pub(crate) fn op(i: usize, slot: &str) -> String {
    format!("op-{i}-{slot}")
}

pub(crate) fn applied(i: usize, slot: &str) -> Entry {
    let object = ObjectRecord { uid: Some(format!("uid-{i}-{slot}")), ..object(i, slot) };
    Entry::Outcome { op: op(i, slot), outcome: Outcome::Applied { object } }
}

pub(crate) fn ready(i: usize) -> Entry {
    Entry::ResourceReady { address: address(i), outputs: Sealed(json!({"host": format!("web-{i}.blog")})) }
}

/// All that applying a resource of three objects writes.
pub(crate) fn whole(i: usize) -> Vec<Entry> {
    let slots = ["deployment", "service", "secret"];
    let mut entries = vec![begun(i)];
    entries.extend(slots.map(|slot| intent(i, slot)));
    entries.extend(slots.map(|slot| applied(i, slot)));
    entries.push(ready(i));
    entries
}

pub(crate) fn run_record() -> RunRecord {
    let blueprint = Some(BlueprintText {
        folder: "/srv/blog".into(),
        files: vec![("blueprint.yaml".into(), "blueprint: blog\n".into())],
    });
    let plan = Plan {
        format: PLAN_FORMAT,
        stack: "blog".into(),
        serial: 7,
        purpose: Purpose::Apply,
        blueprint: blueprint.clone(),
        inputs: BTreeMap::from([("title".into(), Masked::from(json!("Our blog")))]),
        resources: Vec::new(),
        outputs: BTreeMap::new(),
        passwords: BTreeMap::from([("db".into(), 24)]),
        failed: BTreeMap::new(),
        only: Vec::new(),
        moved: Vec::new(),
        found: BTreeMap::new(),
    };
    let plugins = plan.resources.iter().map(|r| (r.plugin.name.clone(), r.plugin.clone())).collect();
    RunRecord { blueprint, inputs: plan.inputs.clone(), plan, plugins }
}

pub(crate) fn run_started(run: &str) -> Entry {
    Entry::RunStarted {
        run: run.into(),
        at: "2026-01-02T03:04:05.000Z".into(),
        record: Box::new(run_record()),
    }
}

pub(crate) fn run_finished(run: &str) -> Entry {
    Entry::RunFinished {
        run: run.into(),
        at: "2026-01-02T03:05:06.000Z".into(),
        outcome: sheave_model::event::RunOutcome::Ok,
        counts: Counts { create: 3, ..Counts::default() },
    }
}

pub(crate) fn event(i: usize) -> Event {
    Event {
        at: "2026-01-02T03:04:05.678Z".into(),
        stack: "blog".into(),
        what: What::Ready { address: address(i), action: Action::Create },
    }
}
