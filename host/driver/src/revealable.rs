//! Secrets by the names that a grant `reveal` gives them: inputs, passwords that were made, outputs of resources.
//!
//! A secret is told by its value: what was computed from one is another text, and nobody was granted that.

use std::sync::PoisonError;

use sheave_model::{Address, SecretText, Value};
use sheave_plugin_host::Plugin;
use sheave_secrets::Mask;

use crate::context::{Context, SHORTEST};

impl Context {
    /// Those that are granted, with their names.
    pub(crate) fn revealable(&self, granted: &[String]) -> Vec<(String, SecretText)> {
        let all = self.revealable.read().unwrap_or_else(PoisonError::into_inner);
        all.iter().filter(|(name, _)| granted.contains(name)).cloned().collect()
    }

    /// The secrets that a plugin may have seen in clear, to be found in what it says. Short ones are not looked for.
    pub(crate) fn shown_to(&self, plugin: &Plugin) -> Mask {
        let granted = &plugin.held().grants.reveal;
        let secrets = self.revealable(granted).into_iter().map(|(_, secret)| secret);
        Mask::new(secrets.filter(|secret| secret.expose().len() >= SHORTEST))
    }

    /// A secret input.
    pub(crate) fn may_reveal_input(&self, name: &str, value: &Value) {
        if let Value::Secret(secret) = value {
            self.may_reveal(format!("inputs.{name}"), secret);
        }
    }

    /// A password that `randomPassword` made.
    pub(crate) fn may_reveal_password(&self, name: &str, password: &SecretText) {
        self.may_reveal(format!("passwords.{name}"), password);
    }

    /// A resource's outputs. One with instances has the secrets of all of them under its name; what stands in a module is the
    /// module's own.
    pub(crate) fn may_reveal_outputs(&self, address: &Address, outputs: &Value) {
        if address.module().is_some() {
            return;
        }
        let Value::Map(fields) = outputs else { return };
        for (output, value) in fields {
            let name = format!("resources.{}.outputs.{output}", address.name());
            value.each_leaf(&mut |_, leaf| {
                if let Value::Secret(secret) = leaf {
                    self.may_reveal(name.clone(), secret);
                }
            });
        }
    }

    /// Only what some plugin was granted is kept.
    fn may_reveal(&self, name: String, secret: &SecretText) {
        let wanted = |grants: &sheave_model::plugin::Grants| grants.reveal.contains(&name);
        if !self.plugins.bound.values().any(|bound| wanted(&bound.plugin.held().grants)) {
            return;
        }
        let mut all = self.revealable.write().unwrap_or_else(PoisonError::into_inner);
        if !all.iter().any(|(n, s)| *n == name && s == secret) {
            all.push((name, secret.clone()));
        }
    }
}
