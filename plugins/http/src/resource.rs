//! `Resource`: a thing behind an API, by the requests that make, read, change and delete it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sheave_sdk::http::{NoReply, Reply};
use sheave_sdk::provider::Change;
use sheave_sdk::{
    Attempt, Context, Diagnostic, Failure, Known, Pending, Planned, Provider, Resource as Thing, Step, json,
};

use crate::adopt;
use crate::place::{self, Of};
use crate::props::{Outputs, Props, Request};
use crate::reply::{self, Readiness, Verdict};
use crate::view;

pub(crate) struct Resource;

/// How often a request is tried that the server was too busy for, or whose answer got lost.
const TRIES: u32 = 5;
/// Milliseconds between two tries.
const AGAIN_MS: u32 = 1000;
/// How often a thing is looked for that was just made: some APIs need a moment to find it.
const LOOKS: u32 = 10;

/// What there is, with everything that it takes to read and to delete it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct State {
    /// Named apart from the property `id`, with which it would be compared.
    #[serde(rename = "thing", alias = "id")]
    id: String,
    props: Props,
    /// What is compared from one look to the next.
    seen: Value,
    /// Secrets are said once by many APIs. Named apart from the property.
    #[serde(rename = "said", alias = "outputs")]
    outputs: Outputs,
    /// Whether it was there before, and no properties of a blueprint were set on it yet: those here only read it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    adopted: bool,
    /// Whether nobody knows if it was made.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    in_doubt: bool,
}

impl State {
    /// The thing's id in the requests of these properties.
    fn id_for(&self, props: &Props) -> Result<String, Failure> {
        if !self.adopted {
            return Ok(self.id.clone());
        }
        let path = self.props.read.as_ref().map_or("", |read| read.path.as_str());
        adopt::id_by(props, path).ok_or_else(|| adopt::elsewhere(path))
    }
}

/// Where a change stands between two calls.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Resume {
    /// The thing was made or changed: what is awaited now.
    made: Option<(String, Outputs)>,
    tries: u32,
    /// Whether a try was lost: what it did is not known.
    lost: bool,
}

impl Resume {
    fn of(attempt: &Attempt) -> Self {
        attempt.resume.as_deref().and_then(|bytes| serde_json::from_slice(bytes).ok()).unwrap_or_default()
    }

    fn pending(&self, after_ms: u32, message: String, percent: Option<u8>) -> Step<Resource> {
        let resume = serde_json::to_vec(self).unwrap_or_default();
        Step::Pending(Pending { resume, after_ms, message, percent })
    }
}

impl Provider for Resource {
    const NAME: &'static str = "Resource";
    const SUMMARY: &'static str = "a thing behind an HTTP API";
    type Props = Props;
    type Outputs = Outputs;
    type State = State;

    fn check(cx: &Context, props: &Props) -> Vec<Diagnostic> {
        let mut found = server_faults(cx, props.connection.as_deref(), props.url.as_deref());
        let parts = [
            ("create", Some(&props.create)),
            ("read", props.read.as_ref()),
            ("update", props.update.as_ref()),
            ("delete", props.delete.as_ref()),
        ];
        for (name, request) in parts {
            let Some(request) = request else { continue };
            found.extend(path_fault(cx, &format!("/{name}/path"), &request.path));
            if request.body.is_some() && request.text.is_some() {
                found.push(
                    Diagnostic::error("http.two-bodies", "a request has `body` or `text`")
                        .at(format!("/{name}/text")),
                );
            }
        }
        if cx.is_secret("/identity") {
            found.push(
                Diagnostic::error("http.secret-in-url", "an identity cannot be a secret").at("/identity"),
            );
        }
        if props.until.is_some() && props.read.is_none() {
            found.push(
                Diagnostic::error(
                    "http.until-without-read",
                    "`until` looks at the reply to `read`, and there is none",
                )
                .at("/until"),
            );
        }
        found
    }

    fn plan(cx: &Context, change: &Change<Self>) -> Result<Planned, Failure> {
        let props = &change.props;
        let mut planned = Planned::default();
        if let Some(known) = &change.prior {
            let old = &known.state.props;
            let adopted = known.state.adopted;
            let moved = [
                ("/connection", old.connection != props.connection),
                ("/url", old.url != props.url),
                ("/identity", !adopted && old.identity != props.identity),
                // How it was made that was taken over, nobody here knows.
                ("/create", !adopted && props.update.is_none() && old.create != props.create),
            ];
            if adopted {
                planned.notes.extend(adopt::notes(cx, props, &known.state.seen));
            }
            planned.replace =
                moved.into_iter().filter(|(_, moved)| *moved).map(|(at, _)| at.to_owned()).collect();
        }
        let prior = change.prior.as_ref().filter(|_| planned.replace.is_empty());
        let kept = prior.map(|known| known.state.id_for(props)).transpose()?;
        match kept.or_else(|| props.identity.clone().filter(|_| !cx.is_unknown("/identity"))) {
            Some(id) => drop(planned.outputs.insert("id".to_owned(), json!(id))),
            None => planned.unknown.push("id".to_owned()),
        }
        unknown_outputs(&props.outputs, &props.secret_outputs, &mut planned);
        Ok(planned)
    }

    fn create(_: &Context, props: Props, attempt: &Attempt) -> Result<Step<Self>, Failure> {
        let resume = Resume::of(attempt);
        if let Some((id, outputs)) = resume.made.clone() {
            return settle(props, id, outputs, resume);
        }
        let again = resume.lost || attempt.repeated();
        if let Some(found) = already_there(&props, again)? {
            return settle(props, found.clone(), Outputs { id: found, ..Outputs::default() }, resume);
        }
        if again && !can_repeat(&props) {
            return Ok(doubtful(
                props,
                "its creation was cut off, and the API has no way to tell what came of it",
            ));
        }
        make(props, attempt, resume)
    }

    fn read(_: &Context, known: Known<State>) -> Result<Option<Thing<Self>>, Failure> {
        let state = known.state;
        if state.in_doubt {
            return Err(doubt());
        }
        let Some(read) = &state.props.read else { return Ok(Some(thing(state))) };
        let (server, name) = (state.props.server(), place::name(&state.props.server()));
        let of = Of { id: &state.id, chosen: state.props.identity.is_some() };
        let reply = place::send(&server, read, "GET", of).map_err(|none| none.failure(&name))?;
        match reply::verdict(read, &reply) {
            Verdict::Done => Ok(Some(thing(looked(state, &reply)))),
            Verdict::Gone => Ok(None),
            other => Err(reply::failure(&format!("read `{}`", state.id), &name, other, &reply)),
        }
    }

    fn update(
        _: &Context,
        known: Known<State>,
        props: Props,
        attempt: &Attempt,
    ) -> Result<Step<Self>, Failure> {
        let resume = Resume::of(attempt);
        let (id, outputs) = (known.state.id_for(&props)?, known.state.outputs.clone());
        if known.state.in_doubt {
            return Err(doubt());
        }
        if let Some((id, outputs)) = resume.made.clone() {
            return settle(props, id, outputs, resume);
        }
        // What there is to send is what was sent already: only how it is read or deleted is another.
        let Some(update) = props.update.clone() else { return settle(props, id, outputs, resume) };
        let update = Request {
            body: update
                .body
                .clone()
                .or_else(|| update.text.is_none().then(|| props.create.body.clone()).flatten()),
            ..update
        };
        let (server, name) = (props.server(), place::name(&props.server()));
        let of = Of { id: &id, chosen: props.identity.is_some() };
        let reply = match place::send(&server, &update, "PUT", of) {
            Ok(reply) => reply,
            Err(none) => return later(none, &name, resume),
        };
        match reply::verdict(&update, &reply) {
            Verdict::Done => {
                let mut outputs = outputs;
                view::outputs(&props.outputs, &props.secret_outputs, &reply, &mut outputs);
                settle(props, id, outputs, resume)
            }
            Verdict::Later(ms) if resume.tries < TRIES => {
                Ok(Resume { tries: resume.tries + 1, ..resume }.pending(ms, format!("{name} is busy"), None))
            }
            other => Err(reply::failure(&format!("change `{id}`"), &name, other, &reply)),
        }
    }

    fn delete(_: &Context, known: Known<State>, attempt: &Attempt) -> Result<Step<Self>, Failure> {
        let state = known.state;
        if state.in_doubt {
            return Err(doubt());
        }
        let Some(delete) = &state.props.delete else { return Ok(Step::Gone) };
        let resume = Resume::of(attempt);
        let (server, name) = (state.props.server(), place::name(&state.props.server()));
        let of = Of { id: &state.id, chosen: state.props.identity.is_some() };
        let reply = match place::send(&server, delete, "DELETE", of) {
            Ok(reply) => reply,
            Err(none) => return later(none, &name, resume),
        };
        match reply::verdict(delete, &reply) {
            Verdict::Done | Verdict::Gone => Ok(Step::Gone),
            Verdict::Later(ms) if resume.tries < TRIES => {
                Ok(Resume { tries: resume.tries + 1, ..resume }.pending(ms, format!("{name} is busy"), None))
            }
            other => Err(reply::failure(&format!("delete `{}`", state.id), &name, other, &reply)),
        }
    }

    fn adopt(_: &Context, identity: &str) -> Result<Thing<Self>, Failure> {
        let (props, id) = adopt::props(identity)?;
        let read = props.read.clone().unwrap_or_default();
        let (server, name) = (props.server(), place::name(&props.server()));
        let reply = place::send(&server, &read, "GET", Of { id: &id, chosen: false })
            .map_err(|none| none.failure(&name))?;
        match reply::verdict(&read, &reply) {
            Verdict::Done => {
                Ok(thing(looked(State { id, props, adopted: true, ..State::default() }, &reply)))
            }
            Verdict::Gone => Err(Failure::NotFound),
            other => Err(reply::failure(&format!("read `{identity}`"), &name, other, &reply)),
        }
    }

    fn secrets_of_state(state: &State) -> Vec<String> {
        view::secrets("/said/secrets", &state.outputs.secrets)
    }

    fn secrets_of_outputs(outputs: &Outputs) -> Vec<String> {
        view::secrets("/secrets", &outputs.secrets)
    }
}

/// A thing that is there before it was made: after a lost try it is that try's, else a stranger's.
fn already_there(props: &Props, again: bool) -> Result<Option<String>, Failure> {
    let (server, name) = (props.server(), place::name(&props.server()));
    if let (Some(id), Some(read)) = (&props.identity, &props.read) {
        let reply =
            place::send(&server, read, "GET", Of { id, chosen: true }).map_err(|none| none.failure(&name))?;
        return match reply::verdict(read, &reply) {
            Verdict::Done if again => Ok(Some(id.clone())),
            Verdict::Done => Err(Failure::conflict(
                "http.exists",
                format!("`{id}` exists already"),
                "this stack did not make it: delete it, or choose another identity",
            )),
            Verdict::Gone => Ok(None),
            other => Err(reply::failure(&format!("read `{id}`"), &name, other, &reply)),
        };
    }
    let Some(find) = props.find.as_ref().filter(|_| again) else { return Ok(None) };
    let request = Request { path: find.path.clone(), ..Request::default() };
    let of = Of { id: "", chosen: false };
    let reply = place::send(&server, &request, "GET", of).map_err(|none| none.failure(&name))?;
    match reply::verdict(&request, &reply) {
        Verdict::Done => {
            Ok(reply::at(&reply, reply.json().as_ref(), &find.pointer).as_ref().and_then(reply::text))
        }
        Verdict::Gone => Ok(None),
        other => Err(reply::failure("find what was made", &name, other, &reply)),
    }
}

/// Whether making it once more can make no second one.
fn can_repeat(props: &Props) -> bool {
    props.identity.is_some() || props.find.is_some() || props.idempotency_key.is_some()
}

fn make(props: Props, attempt: &Attempt, resume: Resume) -> Result<Step<Resource>, Failure> {
    let (server, name) = (props.server(), place::name(&props.server()));
    let mut create = props.create.clone();
    if let Some(header) = &props.idempotency_key {
        create.headers.insert(header.clone(), attempt.key.clone());
    }
    let of = Of { id: props.identity.as_deref().unwrap_or_default(), chosen: true };
    let usual = if props.identity.is_some() { "PUT" } else { "POST" };
    let lost = |props: Props, why: &str| {
        if can_repeat(&props) && resume.tries < TRIES {
            let next = Resume { tries: resume.tries + 1, lost: true, ..resume.clone() };
            Ok(next.pending(AGAIN_MS, format!("{name}: {why}; trying again"), None))
        } else {
            Ok(doubtful(props, &format!("{name}: {why}")))
        }
    };
    let reply = match place::send(&server, &create, usual, of) {
        Ok(reply) => reply,
        Err(NoReply::Lost(why)) => return lost(props, &why),
        Err(none) => return Err(none.failure(&name)),
    };
    match reply::verdict(&create, &reply) {
        Verdict::Done => {}
        Verdict::Unclear => {
            return lost(props, &format!("it answered {}: {}", reply.status, reply::words(&reply)));
        }
        Verdict::Later(ms) if resume.tries < TRIES => {
            return Ok(Resume { tries: resume.tries + 1, ..resume }.pending(
                ms,
                format!("{name} is busy"),
                None,
            ));
        }
        other => return Err(reply::failure("create it", &name, other, &reply)),
    }
    let Some(id) = props.identity.clone().or_else(|| reply::id(props.id.as_deref(), &reply)) else {
        let at = props.id.as_deref().unwrap_or("/id");
        return Ok(doubtful(props.clone(), &format!("it was made, and the reply has no id at `{at}`")));
    };
    let mut outputs = Outputs { id: id.clone(), ..Outputs::default() };
    view::outputs(&props.outputs, &props.secret_outputs, &reply, &mut outputs);
    settle(props, id, outputs, Resume::default())
}

/// Looks at what was made or changed, until it is ready.
fn settle(props: Props, id: String, outputs: Outputs, resume: Resume) -> Result<Step<Resource>, Failure> {
    let state = State { id: id.clone(), outputs: outputs.clone(), props, ..State::default() };
    let Some(read) = state.props.read.clone() else { return Ok(Step::Done(thing(state))) };
    let (server, name) = (state.props.server(), place::name(&state.props.server()));
    let of = Of { id: &id, chosen: state.props.identity.is_some() };
    let tries = if resume.made.is_some() { resume.tries + 1 } else { 0 };
    let next = Resume { made: Some((id.clone(), outputs)), tries, lost: false };
    let half = |state: State, why: Diagnostic| Ok(Step::Partial(thing(state), vec![why]));
    let reply = match place::send(&server, &read, "GET", of) {
        Ok(reply) => reply,
        Err(NoReply::Denied(why)) => {
            return half(
                state,
                Diagnostic::error("http.not-granted", format!("{name} may not be asked")).detail(why),
            );
        }
        Err(none) if tries < LOOKS => {
            return Ok(next.pending(AGAIN_MS, format!("{name}: {}", none.why()), None));
        }
        Err(none) => {
            return half(
                state,
                Diagnostic::error("http.unreachable", format!("{name} gave no answer")).detail(none.why()),
            );
        }
    };
    match reply::verdict(&read, &reply) {
        Verdict::Done => {}
        Verdict::Later(ms) if tries < LOOKS => return Ok(next.pending(ms, format!("{name} is busy"), None)),
        Verdict::Gone | Verdict::Unclear if tries < LOOKS => {
            return Ok(next.pending(AGAIN_MS, format!("`{id}` is not to be seen yet"), None));
        }
        _ => {
            let why = format!("`{id}` was made, and cannot be read: {name} answered {}", reply.status);
            return half(state, Diagnostic::error("http.unreadable", why).detail(reply::words(&reply)));
        }
    }
    let until = state.props.until.clone();
    let state = looked(state, &reply);
    match until.as_ref().map_or(Readiness::Ready, |until| reply::readiness(until, reply.json().as_ref())) {
        Readiness::Ready => Ok(Step::Done(thing(state))),
        Readiness::Waiting(message, percent) => {
            let every = until.map_or(AGAIN_MS, |until| until.every_ms.max(100));
            let next = Resume { made: Some((id, state.outputs)), tries: 0, lost: false };
            Ok(next.pending(every, message, percent))
        }
        Readiness::Failed(why) => {
            half(state, Diagnostic::error("http.failed", format!("`{id}` will not be ready: {why}")))
        }
    }
}

/// A state after a look at the thing.
fn looked(mut state: State, reply: &Reply) -> State {
    if state.adopted {
        state.seen = adopt::seen(reply);
        return state;
    }
    let sent = state.props.update.as_ref().filter(|update| update.body.is_some() || update.text.is_some());
    let sent = sent.unwrap_or(&state.props.create);
    state.seen = view::seen(state.props.compare.as_deref(), sent, reply);
    view::outputs(&state.props.outputs, &state.props.secret_outputs, reply, &mut state.outputs);
    state
}

fn thing(mut state: State) -> Thing<Resource> {
    state.outputs.id.clone_from(&state.id);
    Thing { id: state.id.clone(), outputs: state.outputs.clone(), state, private: Vec::new() }
}

fn later(none: NoReply, name: &str, resume: Resume) -> Result<Step<Resource>, Failure> {
    match none {
        NoReply::Denied(_) => Err(none.failure(name)),
        // To change or to delete something twice is as good as once.
        _ if resume.tries < TRIES => {
            let message = format!("{name}: {}; trying again", none.why());
            Ok(Resume { tries: resume.tries + 1, ..resume }.pending(AGAIN_MS, message, None))
        }
        _ => Err(none.failure(name)),
    }
}

/// What may or may not have been made: kept as it is, for a person to look at.
fn doubtful(props: Props, why: &str) -> Step<Resource> {
    let id = props.identity.clone().unwrap_or_default();
    let state = State { id, props, in_doubt: true, ..State::default() };
    let Diagnostic { severity, code, summary, detail, pointer } = in_doubt();
    let detail = format!("{why}\n{detail}");
    Step::Partial(thing(state), vec![Diagnostic { severity, code, summary, detail, pointer }])
}

fn doubt() -> Failure {
    Failure::Other(in_doubt())
}

fn in_doubt() -> Diagnostic {
    Diagnostic::error("http.in-doubt", "it is not known whether it was made").detail(
        "look on the server: delete it there if it is there, then `sheave state rm` the resource and apply again; \
         `identity`, `find` or `idempotency-key` let Sheave find out by itself",
    )
}

/// Exactly one of `connection` and `url`.
pub(crate) fn server_faults(cx: &Context, connection: Option<&str>, url: Option<&str>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let fault = |code: &str, summary: &str, at: &str| Diagnostic::error(code, summary).at(at);
    match (connection, url) {
        (Some(_), Some(_)) => {
            found.push(fault("http.two-servers", "`connection` or `url`, not both", "/url"))
        }
        (None, None) => found.push(
            Diagnostic::error("http.no-server", "neither `connection` nor `url` says where requests go")
                .detail("write `connection: NAME`, and the name under `targets:`"),
        ),
        (None, Some(url)) if !cx.has_token("/url") => {
            let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
            if rest.is_none_or(|rest| rest.trim_end_matches('/').contains(['/', '?', '#', '@'])) {
                found.push(fault(
                    "http.bad-url",
                    "`url` is `https://HOST`, with a port at most: paths stand in requests",
                    "/url",
                ));
            }
        }
        _ => {}
    }
    for at in ["/url", "/connection"] {
        if cx.is_secret(at) {
            found.push(fault("http.secret-in-url", "a URL cannot be a secret: servers log it", at));
        }
    }
    found
}

/// A path begins with a slash, or with `{id}`.
pub(crate) fn path_fault(cx: &Context, at: &str, path: &str) -> Option<Diagnostic> {
    if cx.is_secret(at) {
        return Some(
            Diagnostic::error("http.secret-in-url", "a URL cannot hold a secret: servers log it").at(at),
        );
    }
    let fine = path.starts_with('/') || cx.has_token(at);
    (!fine).then(|| Diagnostic::error("http.bad-path", format!("`{path}` must begin with a slash")).at(at))
}

/// Outputs that only apply can tell, each a text of its own.
pub(crate) fn unknown_outputs(
    values: &BTreeMap<String, String>,
    secrets: &BTreeMap<String, String>,
    planned: &mut Planned,
) {
    for (field, names) in [("values", values), ("secrets", secrets)] {
        let (blank, unknown) = view::unknown(names, &format!("/{field}"));
        planned.outputs.insert(field.to_owned(), blank);
        planned.unknown.extend(unknown);
    }
}
