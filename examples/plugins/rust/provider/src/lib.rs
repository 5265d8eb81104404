//! A plugin with one type: a note, kept with the stack's state. A real one would keep it in some service.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sheave_sdk::provider::Change;
use sheave_sdk::{
    Attempt, Context, Diagnostic, Failure, Known, Pending, Planned, Provider, Resource, Step, dns_label, json,
};

/// What a blueprint writes.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Props {
    /// What the note is called; another title is another note.
    #[schemars(extend("x-immutable" = true, "x-identity" = true))]
    title: String,
    /// What it says.
    text: String,
}

/// What other resources can read.
#[derive(Serialize, JsonSchema)]
struct Outputs {
    /// What the note is called.
    #[schemars(extend("x-stable" = true))]
    title: String,
    /// How many lines it has.
    lines: usize,
}

/// What the plugin wants to know of a note later.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct State {
    title: String,
    text: String,
}

struct Note;

impl Provider for Note {
    const NAME: &'static str = "Note";
    const SUMMARY: &'static str = "a note";
    type Props = Props;
    type Outputs = Outputs;
    type State = State;

    fn check(cx: &Context, _: &Props) -> Vec<Diagnostic> {
        if !cx.is_secret("/text") {
            return Vec::new();
        }
        let fault = Diagnostic::error("notebook.secret-text", "a note cannot keep a secret").at("/text");
        vec![fault.detail("the plugin never sees it, and would keep a placeholder")]
    }

    fn plan(cx: &Context, change: &Change<Self>) -> Result<Planned, Failure> {
        let mut planned = Planned { replace: change.replaced_by_schema(), ..Planned::default() };
        planned.outputs.insert("title".to_owned(), json!(change.props.title));
        if cx.is_unknown("/text") {
            planned.unknown.push("lines".to_owned());
        } else {
            planned.outputs.insert("lines".to_owned(), json!(lines(&change.props.text)));
        }
        Ok(planned)
    }

    fn create(_: &Context, props: Props, attempt: &Attempt) -> Result<Step<Self>, Failure> {
        if attempt.resume.is_none() {
            // Work that takes long is done in pieces: the host keeps `resume`, and calls again.
            return Ok(Step::Pending(Pending {
                resume: b"drafted".to_vec(),
                message: "drafted".to_owned(),
                percent: Some(50),
                ..Pending::default()
            }));
        }
        Ok(Step::Done(note(props.title, props.text)))
    }

    fn read(_: &Context, known: Known<State>) -> Result<Option<Resource<Self>>, Failure> {
        Ok(Some(note(known.state.title, known.state.text)))
    }

    fn update(_: &Context, _: Known<State>, props: Props, _: &Attempt) -> Result<Step<Self>, Failure> {
        Ok(Step::Done(note(props.title, props.text)))
    }

    fn delete(_: &Context, _: Known<State>, _: &Attempt) -> Result<Step<Self>, Failure> {
        Ok(Step::Gone)
    }
}

fn note(title: String, text: String) -> Resource<Note> {
    let outputs = Outputs { title: title.clone(), lines: lines(&text) };
    Resource { id: dns_label(&title), state: State { title, text }, outputs, private: Vec::new() }
}

fn lines(text: &str) -> usize {
    text.matches('\n').count() + 1
}

sheave_sdk::provider!(Note);
