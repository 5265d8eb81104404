//! Names in grants: the connections and secrets that they speak of exist.

use sheave_model::Diagnostic;
use sheave_model::plugin::HttpGrant;

use super::Resolver;
use crate::codes;
use crate::graph::PluginSpec;
use crate::nearest;

impl Resolver<'_> {
    pub(super) fn granted(&mut self, name: &str, plugin: &PluginSpec) {
        let syntax = self.syntax;
        let mut unknown = |summary: String, help: Option<String>| {
            let mut fault = Diagnostic::error(codes::UNKNOWN_NAME, summary).at(plugin.grants_span, "");
            fault.help = help;
            self.faults.push(fault);
        };
        for grant in &plugin.grants.http {
            let HttpGrant::Connection(grant) = grant else { continue };
            let wanted = &grant.connection;
            let connections = || {
                let http = syntax.targets.iter().filter(|(_, t)| t.kind == crate::targets::HTTP);
                http.map(|(name, _)| name.as_str())
            };
            if syntax.lost.targets.contains(wanted) || connections().any(|n| n == wanted) {
                continue;
            }
            let summary = match syntax.targets.get(wanted) {
                Some(_) => format!(
                    "the plugin `{name}` is granted `{wanted}`, which is a cluster: plugins cannot speak with it"
                ),
                None => format!("the plugin `{name}` is granted a connection `{wanted}` that does not exist"),
            };
            let help = nearest::help(wanted, connections());
            unknown(
                summary,
                help.or_else(|| Some("list it under `targets:` as `{http: {url: ...}}`".into())),
            );
        }
        for secret in &plugin.grants.reveal {
            if let Some((resource, _)) =
                secret.strip_prefix("resources.").and_then(|rest| rest.split_once(".outputs."))
                && !syntax.resources.contains_key(resource)
                && !syntax.lost.resources.contains(resource)
            {
                unknown(
                    format!(
                        "`reveal` of the plugin `{name}` names a resource `{resource}` that does not exist"
                    ),
                    nearest::help(resource, syntax.resources.keys().map(String::as_str)),
                );
            }
            let Some(input) = secret.strip_prefix("inputs.") else { continue };
            match syntax.inputs.get(input) {
                Some(spec) if spec.secret => {}
                None if syntax.lost.inputs.contains(input) => {}
                Some(_) => unknown(
                    format!("`reveal` of the plugin `{name}` names `{secret}`, which is no secret"),
                    Some("a plugin sees what is no secret without a grant".into()),
                ),
                None => unknown(
                    format!("`reveal` of the plugin `{name}` names an input `{input}` that does not exist"),
                    nearest::help(input, syntax.inputs.keys().map(String::as_str)),
                ),
            }
        }
    }
}
