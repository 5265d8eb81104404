//! Environment variables: plain ones in the pod, secret ones in a Secret that the pod refers to.

use std::collections::BTreeMap;

use sheave_sdk::{Context, Map, Value, json};

use super::names::Names;
use super::props::{From, Props, Variable};
use super::put;
use crate::checks::join;

/// Where a variable stands in the properties.
pub(crate) fn pointer(name: &str) -> String {
    join("/env", name)
}

/// The values that must not stand in a pod, by the variable's name.
pub(crate) fn secrets(cx: &Context, props: &Props) -> Map<String, Value> {
    let all = props.env.iter().flatten();
    all.filter_map(|(name, variable)| match variable {
        Variable::Plain(value) if cx.is_secret(&pointer(name)) => Some((name.clone(), json!(value))),
        _ => None,
    })
    .collect()
}

/// The container's `env`. A variable that refers to others by `$(NAME)` stands behind them, as Kubernetes wants it.
pub(crate) fn variables(cx: &Context, names: &Names, props: &Props) -> Vec<Value> {
    let none = BTreeMap::new();
    let env = props.env.as_ref().unwrap_or(&none);
    in_order(env).into_iter().map(|(name, variable)| one(cx, names, name, variable)).collect()
}

fn one(cx: &Context, names: &Names, name: &str, variable: &Variable) -> Value {
    let source = match variable {
        Variable::Plain(_) if cx.is_secret(&pointer(name)) => {
            json!({"secretKeyRef": {"name": names.secret(), "key": name}})
        }
        Variable::Plain(value) => return json!({"name": name, "value": value}),
        Variable::From(from) => source(name, from),
    };
    json!({"name": name, "valueFrom": source})
}

fn source(name: &str, from: &From) -> Value {
    let key = from.key.as_deref().unwrap_or(name);
    let by_key = |object: &str| {
        let mut reference = json!({"name": object, "key": key});
        put(&mut reference, "optional", from.optional);
        reference
    };
    match (&from.secret, &from.config, &from.field) {
        (Some(secret), ..) => json!({"secretKeyRef": by_key(secret)}),
        (_, Some(config), _) => json!({"configMapKeyRef": by_key(config)}),
        (.., field) => json!({"fieldRef": {"fieldPath": field}}),
    }
}

/// By name, but each behind those that it refers to. Of a circle, which Kubernetes leaves as text, some stand too early.
fn in_order(env: &BTreeMap<String, Variable>) -> Vec<(&str, &Variable)> {
    let mut done: BTreeMap<&str, bool> = BTreeMap::new();
    let mut ordered = Vec::with_capacity(env.len());
    for begin in env.keys() {
        // Each variable is opened once and closed once, without recursion: a chain may be as long as the map.
        let mut open = vec![begin.as_str()];
        while let Some(name) = open.last().copied() {
            let Some((name, variable)) = env.get_key_value(name) else {
                open.pop();
                continue;
            };
            match done.get(name.as_str()) {
                None => {
                    done.insert(name, false);
                    open.extend(references(variable).filter(|other| !done.contains_key(other)));
                }
                Some(false) => {
                    done.insert(name, true);
                    ordered.push((name.as_str(), variable));
                    open.pop();
                }
                Some(true) => {
                    open.pop();
                }
            }
        }
    }
    ordered
}

/// The names in a plain value's `$(NAME)`; `$$(NAME)` is text.
fn references(variable: &Variable) -> impl Iterator<Item = &str> {
    let text = match variable {
        Variable::Plain(text) => text.as_str(),
        Variable::From(_) => "",
    };
    let mut rest = text;
    std::iter::from_fn(move || {
        loop {
            let (_, after) = rest.split_once('$')?;
            if let Some(escaped) = after.strip_prefix('$') {
                rest = escaped;
                continue;
            }
            rest = after;
            if let Some((name, behind)) = after.strip_prefix('(').and_then(|inner| inner.split_once(')')) {
                rest = behind;
                return Some(name);
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(env: &[(&str, &str)]) -> Vec<String> {
        let env = env.iter().map(|(k, v)| ((*k).to_owned(), Variable::Plain((*v).to_owned()))).collect();
        in_order(&env).into_iter().map(|(name, _)| name.to_owned()).collect()
    }

    #[test]
    fn what_is_referred_to_stands_first() {
        assert_eq!(order(&[("A", "$(Z)-$(M)"), ("M", "$(Z)"), ("Z", "1")]), ["Z", "M", "A"]);
        assert_eq!(order(&[("A", "$$(Z)"), ("B", "$(NONE)"), ("Z", "")]), ["A", "B", "Z"]);
        assert_eq!(order(&[("A", "$("), ("B", "$"), ("C", "$$$(A)")]), ["A", "B", "C"]);
    }

    #[test]
    fn circles_end() {
        assert_eq!(order(&[("A", "$(A)")]), ["A"]);
        let mut circle = order(&[("A", "$(B)"), ("B", "$(C)"), ("C", "$(A)")]);
        circle.sort_unstable();
        assert_eq!(circle, ["A", "B", "C"]);
    }

    #[test]
    fn long_chains_are_no_recursion() {
        let names: Vec<_> = (0..20_000).map(|n| (format!("V{n:05}"), format!("$(V{:05})", n + 1))).collect();
        let env: Vec<_> = names.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        let ordered = order(&env);
        assert_eq!(ordered.len(), names.len());
        assert_eq!(ordered[0], "V19999");
    }
}
