//! Between the interface's generated types and the host's own.

use crate::bindings::exports::sheave::plugin::{emit, model, provide};
use crate::bindings::sheave::plugin::types as wit;
use crate::text;
use crate::wire::{
    Change, Doc, Emitted, Failure, Instance, Live, Lookup, Mark, MarkKind, Observation, Planned,
    PluginDiagnostic, Role, Severity, Snapshot, Step, TypeInfo,
};

impl From<&Doc> for wit::Doc {
    fn from(doc: &Doc) -> Self {
        let mark = |mark: &Mark| wit::Mark {
            pointer: mark.pointer.clone(),
            kind: match mark.kind {
                MarkKind::Unknown => wit::MarkKind::Unknown,
                MarkKind::Secret => wit::MarkKind::Secret,
            },
        };
        Self { json: doc.json.clone(), marks: doc.marks.iter().map(mark).collect() }
    }
}

impl From<wit::Doc> for Doc {
    fn from(doc: wit::Doc) -> Self {
        let mark = |mark: wit::Mark| Mark {
            pointer: mark.pointer,
            kind: match mark.kind {
                wit::MarkKind::Unknown => MarkKind::Unknown,
                wit::MarkKind::Secret => MarkKind::Secret,
            },
        };
        Self { json: doc.json, marks: doc.marks.into_iter().map(mark).collect() }
    }
}

impl From<&Instance> for wit::Instance {
    fn from(of: &Instance) -> Self {
        Self {
            type_name: of.type_name.clone(),
            name: of.name.clone(),
            stack: of.stack.clone(),
            schema_version: of.schema_version,
            settings: (&of.settings).into(),
        }
    }
}

impl From<&Snapshot> for wit::Snapshot {
    fn from(s: &Snapshot) -> Self {
        Self {
            id: s.id.clone(),
            state: (&s.state).into(),
            outputs: (&s.outputs).into(),
            private_data: s.private_data.clone(),
        }
    }
}

impl From<wit::Snapshot> for Snapshot {
    fn from(s: wit::Snapshot) -> Self {
        Self { id: s.id, state: s.state.into(), outputs: s.outputs.into(), private_data: s.private_data }
    }
}

impl From<wit::Diagnostic> for PluginDiagnostic {
    fn from(d: wit::Diagnostic) -> Self {
        Self {
            severity: match d.severity {
                wit::Severity::Error => Severity::Error,
                wit::Severity::Warning => Severity::Warning,
                wit::Severity::Note => Severity::Note,
            },
            code: text::line(&d.code).into_owned(),
            summary: text::line(&d.summary).into_owned(),
            detail: text::lines(&d.detail).into_owned(),
            pointer: d.pointer.map(|p| text::line(&p).into_owned()),
        }
    }
}

impl From<&PluginDiagnostic> for wit::Diagnostic {
    fn from(d: &PluginDiagnostic) -> Self {
        Self {
            severity: match d.severity {
                Severity::Error => wit::Severity::Error,
                Severity::Warning => wit::Severity::Warning,
                Severity::Note => wit::Severity::Note,
            },
            code: d.code.clone(),
            summary: d.summary.clone(),
            detail: d.detail.clone(),
            pointer: d.pointer.clone(),
        }
    }
}

fn diagnostics(all: Vec<wit::Diagnostic>) -> Vec<PluginDiagnostic> {
    all.into_iter().map(PluginDiagnostic::from).collect()
}

impl From<wit::Failure> for Failure {
    fn from(failure: wit::Failure) -> Self {
        match failure {
            wit::Failure::Invalid(all) => Self::Invalid(diagnostics(all)),
            wit::Failure::NotFound => Self::NotFound,
            wit::Failure::Denied(d) => Self::Denied(d.into()),
            wit::Failure::Conflict(d) => Self::Conflict(d.into()),
            wit::Failure::Retry(hint) => Self::Retry { after_ms: hint.after_ms, why: hint.why.into() },
            wit::Failure::Other(d) => Self::Other(d.into()),
        }
    }
}

impl From<model::TypeInfo> for TypeInfo {
    fn from(ty: model::TypeInfo) -> Self {
        Self {
            name: text::line(&ty.name).into_owned(),
            role: match ty.role {
                model::Role::Emits => Role::Emits,
                model::Role::Provides => Role::Provides,
            },
            schema_version: ty.schema_version,
            summary: text::line(&ty.summary).into_owned(),
        }
    }
}

impl From<&Live> for emit::Live {
    fn from(live: &Live) -> Self {
        Self { slot: live.slot.clone(), body: live.body.as_ref().map(wit::Doc::from) }
    }
}

impl From<emit::Lookup> for Lookup {
    fn from(l: emit::Lookup) -> Self {
        Self {
            target: l.target,
            api_version: l.api_version,
            kind: l.kind,
            namespace: l.namespace,
            name: l.name,
        }
    }
}

impl From<emit::Emitted> for Emitted {
    fn from(e: emit::Emitted) -> Self {
        Self {
            slot: e.slot,
            target: e.target,
            manifest: e.manifest.into(),
            after: e.after,
            ready_when: e.ready_when,
            restart_on: e.restart_on,
        }
    }
}

impl From<emit::Observation> for Observation {
    fn from(o: emit::Observation) -> Self {
        Self { ready: o.ready, reason: text::line(&o.reason).into_owned(), outputs: o.outputs.into() }
    }
}

impl From<&Change> for provide::Change {
    fn from(c: &Change) -> Self {
        Self {
            of: (&c.of).into(),
            prior: c.prior.as_ref().map(wit::Snapshot::from),
            desired: c.desired.as_ref().map(wit::Doc::from),
        }
    }
}

impl From<provide::Planned> for Planned {
    fn from(p: provide::Planned) -> Self {
        Self { outputs: p.outputs.into(), replace: p.replace, notes: diagnostics(p.notes) }
    }
}

impl From<&Planned> for provide::Planned {
    fn from(p: &Planned) -> Self {
        Self {
            outputs: (&p.outputs).into(),
            replace: p.replace.clone(),
            notes: p.notes.iter().map(wit::Diagnostic::from).collect(),
        }
    }
}

impl From<provide::Step> for Step {
    fn from(step: provide::Step) -> Self {
        match step {
            provide::Step::Done(snapshot) => Self::Done(snapshot.map(Snapshot::from)),
            provide::Step::Pending(p) => Self::Pending {
                resume: p.resume,
                after_ms: p.after_ms,
                message: text::line(&p.message).into_owned(),
                percent: p.percent,
            },
            provide::Step::Partial(t) => Self::Partial { left: t.left.into(), why: diagnostics(t.why) },
        }
    }
}
