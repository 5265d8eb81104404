//! `App`: a container, how it is reached, what it needs and how many there are, in the words of those who run it.

mod check;
mod exposure;
mod names;
mod observe;
mod pods;
mod ports;
mod props;
mod quantity;
mod scalar;
mod variables;
mod volumes;

use std::borrow::Cow;

use sheave_sdk::emitter::Typed;
use sheave_sdk::{
    Context, Description, Diagnostic, Emitter, EmitterType, Failure, Live, Object, Observation, Value, json,
};

use self::names::Names;
use self::observe::Outputs;
use self::props::Props;

/// The schema, made of [`Props`] and [`Outputs`] beforehand: what makes it is a third of all that this plugin would
/// have to load.
const SCHEMA: &str = include_str!(concat!(env!("OUT_DIR"), "/app.json"));

#[derive(Debug)]
struct App;

/// [`App`] with its schema at hand.
pub(crate) struct AppType;

impl EmitterType for AppType {
    fn describe(&self) -> Description {
        Typed::<App>::NEW.describe()
    }

    fn schema(&self) -> Cow<'static, str> {
        SCHEMA.into()
    }

    fn check(&self, cx: &Context, props: &Value) -> Vec<Diagnostic> {
        Typed::<App>::NEW.check(cx, props)
    }

    fn render(&self, cx: &Context, props: Value, found: &Live) -> Result<Vec<Object>, Failure> {
        Typed::<App>::NEW.render(cx, props, found)
    }

    fn observe(&self, cx: &Context, props: Value, live: &Live) -> Result<Observation<Value>, Failure> {
        Typed::<App>::NEW.observe(cx, props, live)
    }
}

/// The slots that an app can have only one of; Services and claims have theirs in `ports` and `volumes`.
const DEPLOYMENT: &str = "deployment";
const SECRET: &str = "secret";
const INGRESS: &str = "ingress";
const AUTOSCALER: &str = "autoscaler";

impl Emitter for App {
    const NAME: &'static str = "App";
    const SUMMARY: &'static str = "a container that runs, answers on ports and scales";
    type Props = Props;
    type Outputs = Outputs;

    fn check(cx: &Context, props: &Props) -> Vec<Diagnostic> {
        check::check(cx, props)
    }

    fn render(cx: &Context, props: Props, _: &Live) -> Result<Vec<Object>, Failure> {
        let names = Names::new(cx, &props);
        let mut objects = Vec::new();
        let secrets = variables::secrets(cx, &props);
        let mut deployment = Object::new(DEPLOYMENT, pods::deployment(cx, &names, &props));
        if !secrets.is_empty() {
            deployment = deployment.restart_on(SECRET);
            let secret = json!({
                "apiVersion": "v1",
                "kind": "Secret",
                "metadata": names.metadata(names.secret()),
                "type": "Opaque",
                "stringData": secrets,
            });
            objects.push(Object::new(SECRET, secret));
        }
        objects.extend(volumes::claims(&names, &props));
        objects.extend(ports::services(&names, &props));
        objects.push(deployment);
        objects.extend(exposure::ingress(&names, &props).map(|o| Object::new(INGRESS, o)));
        objects.extend(exposure::autoscaler(&names, &props).map(|o| Object::new(AUTOSCALER, o)));
        Ok(objects)
    }

    fn observe(cx: &Context, props: Props, live: &Live) -> Result<Observation<Outputs>, Failure> {
        Ok(observe::observe(&Names::new(cx, &props), &props, live))
    }
}

/// Puts a field in where there is a value.
fn put(object: &mut Value, field: &str, value: Option<impl Into<Value>>) {
    if let Some(value) = value {
        object[field] = value.into();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schema_is_what_the_structs_say() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/src/app/schema.json");
        let schema = sheave_sdk::schema::of::<Props, Outputs>().to_value();
        let text = serde_json::to_string_pretty(&schema).unwrap() + "\n";
        if std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
            std::fs::write(file, &text).unwrap();
        }
        let written = std::fs::read_to_string(file).unwrap();
        assert!(written == text, "run `INSTA_UPDATE=always cargo test -p kubernetes` in plugins/");
    }
}
