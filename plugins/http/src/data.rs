//! `Data`: what an API says, read at every plan.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sheave_sdk::http::Reply;
use sheave_sdk::provider::Change;
use sheave_sdk::{Attempt, Context, Diagnostic, Failure, Known, Planned, Provider, Resource, Step, json};

use crate::place::{self, Of};
use crate::props::{Outputs, Request, Server};
use crate::reply::{self, Verdict};
use crate::{resource, view};

pub(crate) struct Data;

/// What is read.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Props {
    /// A connection of the blueprint: `targets: {NAME: {http: ...}}`. The path is beneath its URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    connection: Option<String>,
    /// `https://HOST`, in place of a connection. The plugin must be granted the host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    /// Headers of the request. A secret must be the whole value.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    headers: BTreeMap<String, String>,
    /// `/things?name=web`.
    path: String,
    /// The statuses that mean success; left out: every 2xx.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    expect: Vec<u16>,
    /// Outputs under `values`, each with where it stands in the reply: a JSON pointer, or `header:NAME`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    outputs: BTreeMap<String, String>,
    /// The same for secrets, under `secrets`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    secret_outputs: BTreeMap<String, String>,
}

/// What was read, and how to read it again.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct State {
    props: Props,
    outputs: Outputs,
}

impl Props {
    fn server(&self) -> Server {
        Server { connection: self.connection.clone(), url: self.url.clone(), headers: self.headers.clone() }
    }

    fn ask(&self) -> Result<Reply, Failure> {
        let (server, of) = (self.server(), Of { id: "", chosen: false });
        let request = Request { path: self.path.clone(), expect: self.expect.clone(), ..Request::default() };
        let name = place::name(&server);
        let reply = place::send(&server, &request, "GET", of).map_err(|none| none.failure(&name))?;
        match reply::verdict(&request, &reply) {
            Verdict::Done => Ok(reply),
            other => Err(reply::failure(&format!("read `{}`", self.path), &name, other, &reply)),
        }
    }

    fn see(self, kept: Outputs) -> Result<Resource<Data>, Failure> {
        let reply = self.ask()?;
        let mut outputs = kept;
        view::outputs(&self.outputs, &self.secret_outputs, &reply, &mut outputs);
        outputs.id.clone_from(&self.path);
        let state = State { props: self, outputs: outputs.clone() };
        Ok(Resource { id: outputs.id.clone(), state, outputs, private: Vec::new() })
    }
}

impl Provider for Data {
    const NAME: &'static str = "Data";
    const SUMMARY: &'static str = "what an HTTP API says, read at every plan";
    type Props = Props;
    type Outputs = Outputs;
    type State = State;

    fn check(cx: &Context, props: &Props) -> Vec<Diagnostic> {
        let mut found = resource::server_faults(cx, props.connection.as_deref(), props.url.as_deref());
        found.extend(resource::path_fault(cx, "/path", &props.path));
        found
    }

    fn plan(_: &Context, change: &Change<Self>) -> Result<Planned, Failure> {
        let mut planned = Planned::default();
        planned.outputs.insert("id".to_owned(), json!(change.props.path));
        let known = change.prior.as_ref().filter(|known| known.state.props == change.props);
        match known {
            Some(known) => {
                planned.outputs.insert("values".to_owned(), json!(known.state.outputs.values));
                planned.outputs.insert("secrets".to_owned(), json!(known.state.outputs.secrets));
            }
            None => {
                resource::unknown_outputs(&change.props.outputs, &change.props.secret_outputs, &mut planned)
            }
        }
        Ok(planned)
    }

    fn create(_: &Context, props: Props, _: &Attempt) -> Result<Step<Self>, Failure> {
        Ok(Step::Done(props.see(Outputs::default())?))
    }

    fn read(_: &Context, known: Known<State>) -> Result<Option<Resource<Self>>, Failure> {
        let State { props, outputs } = known.state;
        props.see(outputs).map(Some)
    }

    fn update(_: &Context, known: Known<State>, props: Props, _: &Attempt) -> Result<Step<Self>, Failure> {
        Ok(Step::Done(props.see(known.state.outputs)?))
    }

    fn delete(_: &Context, _: Known<State>, _: &Attempt) -> Result<Step<Self>, Failure> {
        Ok(Step::Gone)
    }

    fn secrets_of_state(state: &State) -> Vec<String> {
        view::secrets("/outputs/secrets", &state.outputs.secrets)
    }

    fn secrets_of_outputs(outputs: &Outputs) -> Vec<String> {
        view::secrets("/secrets", &outputs.secrets)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn what_was_read_is_known_at_the_next_plan() {
        let props: Props =
            serde_json::from_value(json!({"connection": "api", "path": "/x", "outputs": {"a": "/a"}}))
                .unwrap();
        let values: BTreeMap<String, Value> = [("a".to_owned(), json!(1))].into();
        let outputs = Outputs { id: "/x".to_owned(), values, ..Outputs::default() };
        let state = State { props: props.clone(), outputs };
        let text = serde_json::to_value(&state).unwrap();
        assert_eq!(serde_json::from_value::<State>(text).unwrap(), state);
        assert!(props.ask().is_err(), "no host runs this");
    }
}
