//! From the status that an API server answers with to what went wrong.

use http::StatusCode;
use serde::Deserialize;
use std::time::Duration;

use crate::error::{Cause, ClusterError, FieldConflict, Words};

/// `metav1.Status`, as far as it is read.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct Status {
    pub(crate) kind: String,
    pub(crate) message: String,
    pub(crate) reason: String,
    pub(crate) code: u16,
    pub(crate) details: Details,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct Details {
    pub(crate) name: String,
    pub(crate) kind: String,
    #[serde(deserialize_with = "null_is_empty")]
    causes: Vec<StatusCause>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct StatusCause {
    reason: String,
    message: String,
    field: String,
}

fn null_is_empty<'de, D: serde::Deserializer<'de>>(d: D) -> Result<Vec<StatusCause>, D::Error> {
    Option::deserialize(d).map(Option::unwrap_or_default)
}

impl Status {
    /// Reads a reply's body; one that is no status keeps its text as the message.
    pub(crate) fn of(body: &[u8]) -> Self {
        match serde_json::from_slice::<Self>(body) {
            Ok(status) if status.kind == "Status" => status,
            _ => Self { message: String::from_utf8_lossy(body).into_owned(), ..Self::default() },
        }
    }

    /// Whether the server knows no such path: the kind is not served, as opposed to an object that is not there.
    pub(crate) fn is_unknown_path(&self) -> bool {
        self.details.name.is_empty()
    }
}

/// What a reply that is no success means for `what` was tried on `target`.
pub(crate) fn fault(
    what: &str,
    target: &str,
    status: StatusCode,
    body: &[u8],
    waited: Duration,
) -> ClusterError {
    let said = Status::of(body);
    let words = Words::new(&said.message);
    let what = what.to_owned();
    // The reason is more precise than the HTTP status, and watches carry only the former.
    let by_reason = match said.reason.as_str() {
        "Unauthorized" => 401,
        "Forbidden" => 403,
        "NotFound" => 404,
        "Conflict" | "AlreadyExists" => 409,
        "Invalid" => 422,
        "TooManyRequests" => 429,
        "Expired" | "Gone" => 410,
        _ => status.as_u16(),
    };
    if let Some(by) = refused_by(&said.message) {
        return ClusterError::Refused { what, by, words };
    }
    match by_reason {
        401 => ClusterError::Unauthorized { target: target.to_owned(), words },
        403 if said.message.contains("exceeded quota") => ClusterError::QuotaExceeded { what, words },
        403 if said.details.causes.iter().any(|c| c.reason == "NamespaceTerminating") => {
            let after = said.message.split_once("in namespace ").map_or("", |(_, after)| after);
            let namespace = after.split_whitespace().next().unwrap_or("").trim_matches('"').to_owned();
            ClusterError::NamespaceTerminating { what, namespace }
        }
        403 => ClusterError::Forbidden { what, words },
        404 if said.details.kind == "namespaces" => {
            ClusterError::NamespaceMissing { what, namespace: said.details.name }
        }
        404 => ClusterError::NotFound { what },
        409 if said.reason == "AlreadyExists" => ClusterError::AlreadyExists { what },
        409 => {
            let conflicts = conflicts(&said);
            if conflicts.is_empty() {
                ClusterError::Stale { what, words }
            } else {
                ClusterError::Conflict { what, conflicts, words }
            }
        }
        410 => ClusterError::Stale { what, words },
        400 | 413 | 415 | 422 => ClusterError::Invalid { what, causes: causes(&said), words },
        429 => ClusterError::TooManyRequests { what, waited, words },
        // Fields that the schema does not have: the server says it as its own failure.
        500 if said.message.contains("failed to create typed patch object") => {
            ClusterError::Invalid { what, causes: causes(&said), words }
        }
        status => ClusterError::Server { what, status, words },
    }
}

fn conflicts(said: &Status) -> Vec<FieldConflict> {
    let of_field = said.details.causes.iter().filter(|c| c.reason == "FieldManagerConflict");
    of_field
        .map(|cause| FieldConflict {
            manager: quoted(&cause.message, "conflict with ").unwrap_or_else(|| "another manager".to_owned()),
            field: cause.field.clone(),
            pointer: None,
            ours: None,
            theirs: None,
        })
        .collect()
}

fn causes(said: &Status) -> Vec<Cause> {
    let cause = |c: &StatusCause| Cause { field: c.field.clone(), message: Words::new(&c.message) };
    said.details.causes.iter().map(cause).collect()
}

/// Who stands in the way: a webhook or a policy.
fn refused_by(message: &str) -> Option<String> {
    if let Some(name) = quoted(message, "admission webhook ") {
        return Some(format!("webhook {name}"));
    }
    if let Some(name) = quoted(message, "failed calling webhook ") {
        return Some(format!("webhook {name}, which does not answer,"));
    }
    let policy = message.split_once("ValidatingAdmissionPolicy '")?.1.split('\'').next()?;
    Some(format!("policy {policy}"))
}

/// The text in double quotes after `lead`.
fn quoted(text: &str, lead: &str) -> Option<String> {
    let after = text.split_once(&format!("{lead}\""))?.1;
    Some(after.split_once('"')?.0.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value as Json, json};

    fn judge(status: u16, body: Json) -> ClusterError {
        fault(
            "apply ConfigMap a/b",
            "main",
            StatusCode::from_u16(status).unwrap(),
            body.to_string().as_bytes(),
            Duration::ZERO,
        )
    }

    fn status(reason: &str, message: &str, details: Json) -> Json {
        json!({"kind": "Status", "reason": reason, "message": message, "details": details})
    }

    #[test]
    fn each_answer_has_its_code() {
        for (http, body, code) in [
            (401, status("Unauthorized", "Unauthorized", json!({})), "cluster.unauthorized"),
            (403, status("Forbidden", "configmaps is forbidden: User \"x\"", json!({})), "cluster.forbidden"),
            (
                403,
                status("Forbidden", "pods \"a\" is forbidden: exceeded quota: q", json!({})),
                "cluster.quota-exceeded",
            ),
            (
                403,
                status(
                    "Forbidden",
                    "x is forbidden: unable to create new content in namespace n because it is being terminated",
                    json!({"causes": [{"reason": "NamespaceTerminating"}]}),
                ),
                "cluster.namespace-terminating",
            ),
            (
                404,
                status("NotFound", "configmaps \"b\" not found", json!({"name": "b", "kind": "configmaps"})),
                "cluster.not-found",
            ),
            (
                404,
                status("NotFound", "namespaces \"a\" not found", json!({"name": "a", "kind": "namespaces"})),
                "cluster.namespace-missing",
            ),
            (409, status("AlreadyExists", "x", json!({})), "cluster.already-exists"),
            (
                409,
                status("Conflict", "the object has been modified", json!({"causes": null})),
                "cluster.stale",
            ),
            (410, status("Expired", "too old", json!({})), "cluster.stale"),
            (
                422,
                status("Invalid", "x", json!({"causes": [{"field": "a", "message": "b"}]})),
                "cluster.invalid",
            ),
            (400, status("BadRequest", "strict decoding error", json!({})), "cluster.invalid"),
            (429, status("TooManyRequests", "x", json!({})), "cluster.too-many-requests"),
            (
                403,
                status("Forbidden", "admission webhook \"v.example.com\" denied the request: no", json!({})),
                "cluster.refused",
            ),
            (
                500,
                status("InternalError", "failed calling webhook \"v.example.com\": timeout", json!({})),
                "cluster.refused",
            ),
            (
                422,
                status(
                    "Invalid",
                    "x is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no",
                    json!({}),
                ),
                "cluster.refused",
            ),
            (500, json!("not a status"), "cluster.server"),
            (504, status("Timeout", "x", json!({})), "cluster.server"),
        ] {
            assert_eq!(judge(http, body.clone()).code(), code, "{body}");
        }
    }

    #[test]
    fn conflicts_name_manager_and_field() {
        let got = judge(
            409,
            status(
                "Conflict",
                "Apply failed with 1 conflict",
                json!({"causes": [{"reason": "FieldManagerConflict",
                "message": "conflict with \"kubectl-edit\" using v1", "field": ".data.a"}]}),
            ),
        );
        assert_eq!(got.to_string(), "cannot apply ConfigMap a/b: `kubectl-edit` owns .data.a");
    }

    #[test]
    fn what_the_server_says_is_not_in_display_or_debug() {
        let got = judge(
            422,
            status("Invalid", "invalid value: hunter2", json!({"causes": [{"message": "hunter2"}]})),
        );
        assert!(!format!("{got} {got:?}").contains("hunter2"));
        assert!(got.diagnostic().detail.unwrap().contains("hunter2"));
    }

    #[test]
    fn namespaces_are_named() {
        let got = judge(404, status("NotFound", "x", json!({"name": "a", "kind": "namespaces"})));
        assert!(matches!(got, ClusterError::NamespaceMissing { namespace, .. } if namespace == "a"));
    }
}
