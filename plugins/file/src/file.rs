//! The type `File`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use sheave_sdk::provider::Change;
use sheave_sdk::{
    Attempt, Context, Diagnostic, Failure, Known, Pending, Planned, Provider, Resource, Step, json,
};

use crate::disk::{Entry, Folder, Seen};
use crate::mode::{self, Mode};
use crate::path;

pub(crate) struct File;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Props {
    /// Where the file stands, relative to the granted folder. Folders on the way are made.
    #[schemars(extend("x-immutable" = true, "x-identity" = true))]
    path: String,
    /// What it says. It may hold values that are known after apply, but no secrets.
    content: String,
    /// Its permissions: three or four octal digits, in quotes, such as "0600".
    #[serde(default = "default_mode")]
    mode: String,
}

fn default_mode() -> String {
    mode::DEFAULT.to_owned()
}

/// What is there: the outputs, and what the plugin keeps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct State {
    /// The file's path in the granted folder.
    #[schemars(extend("x-stable" = true))]
    path: String,
    /// SHA-256 of its content, lower-case hex; empty where it may no longer be read.
    sha256: String,
    /// Its length in bytes.
    size: u64,
    /// Its permissions: four octal digits.
    #[serde(default = "default_mode")]
    mode: String,
}

/// What a creation says when the finished file waits for its name. From then on, a file of that content under the
/// name is its own; before, it is a stranger's.
const FINISHED: &[u8] = b"finished";

impl Provider for File {
    const NAME: &'static str = "File";
    const SUMMARY: &'static str = "a text file in the granted folder";
    type Props = Props;
    type Outputs = State;
    type State = State;

    fn check(cx: &Context, props: &Props) -> Vec<Diagnostic> {
        let mut found = Vec::new();
        if !cx.has_token("/path") {
            found.extend(path::fault(&props.path));
        }
        if cx.is_secret("/content") {
            let why = Diagnostic::error("file.secret-content", "a secret cannot be written into a file");
            let detail = "the plugin never sees secrets, and what it writes would hold a placeholder; put secrets into a \
                          `kubernetes:Secret`";
            found.push(why.at("/content").detail(detail));
        }
        if cx.is_secret("/mode") {
            let why = Diagnostic::error("file.secret-mode", "a file's mode cannot be a secret");
            found.push(why.at("/mode").detail("everybody who can list the folder sees it"));
        } else if !cx.has_token("/mode") {
            found.extend(Mode::parse(&props.mode).err());
        }
        found
    }

    fn plan(cx: &Context, change: &Change<Self>) -> Result<Planned, Failure> {
        let props = &change.props;
        let mut planned = Planned { replace: change.replaced_by_schema(), ..Planned::default() };
        planned.outputs.insert("path".to_owned(), json!(props.path));
        if cx.is_unknown("/content") {
            planned.unknown = vec!["sha256".to_owned(), "size".to_owned()];
        } else {
            planned.outputs.insert("sha256".to_owned(), json!(digest(props.content.as_bytes())));
            planned.outputs.insert("size".to_owned(), json!(props.content.len()));
        }
        if cx.is_unknown("/mode") {
            planned.unknown.push("mode".to_owned());
        } else {
            let mode = Mode::parse(&props.mode).map_err(Failure::invalid)?;
            planned.outputs.insert("mode".to_owned(), json!(mode.to_string()));
        }
        Ok(planned)
    }

    fn create(_: &Context, props: Props, attempt: &Attempt) -> Result<Step<Self>, Failure> {
        let wanted = of(&props)?;
        let (folder, temporary) = (Folder::granted()?, path::temporary(&props.path, &attempt.key));
        let (there, finished) = (folder.entry(&props.path)?, folder.entry(&temporary)?);
        let named = attempt.resume.as_deref() == Some(FINISHED);
        match (there, finished) {
            // The last try was cut off after it gave the name.
            (Entry::File, Entry::Nothing) if named && folder.see(&props.path)? == wanted => {
                Ok(Step::Done(resource(props.path, wanted)))
            }
            (Entry::File | Entry::Other, _) => {
                folder.remove(&temporary)?;
                Err(stranger(&props.path))
            }
            (Entry::Nothing, Entry::File) if named => {
                folder.rename(&temporary, &props.path)?;
                Ok(Step::Done(resource(props.path, wanted)))
            }
            (Entry::Nothing, _) => {
                folder.make_parents(&props.path)?;
                folder.write(&temporary, props.content.as_bytes(), wanted.mode)?;
                let resume = FINISHED.to_vec();
                Ok(Step::Pending(Pending { resume, message: "written".to_owned(), ..Pending::default() }))
            }
        }
    }

    fn read(_: &Context, known: Known<State>) -> Result<Option<Resource<Self>>, Failure> {
        let (folder, path) = (Folder::granted()?, known.state.path);
        Ok(match folder.entry(&path)? {
            Entry::File => Some(resource(path.clone(), folder.see(&path)?)),
            // Something else under the name is not this file.
            Entry::Nothing | Entry::Other => None,
        })
    }

    fn update(
        _: &Context,
        known: Known<State>,
        props: Props,
        attempt: &Attempt,
    ) -> Result<Step<Self>, Failure> {
        let wanted = of(&props)?;
        let (folder, path) = (Folder::granted()?, known.state.path);
        if matches!(folder.entry(&path)?, Entry::Other) {
            return Err(stranger(&path));
        }
        let temporary = path::temporary(&path, &attempt.key);
        folder.make_parents(&path)?;
        folder.write(&temporary, props.content.as_bytes(), wanted.mode)?;
        folder.rename(&temporary, &path)?;
        Ok(Step::Done(resource(path, wanted)))
    }

    fn delete(_: &Context, known: Known<State>, _: &Attempt) -> Result<Step<Self>, Failure> {
        let (folder, path) = (Folder::granted()?, known.state.path);
        match folder.entry(&path)? {
            Entry::File => folder.remove(&path)?,
            Entry::Nothing => {}
            Entry::Other => return Err(stranger(&path)),
        }
        Ok(Step::Gone)
    }

    fn adopt(_: &Context, identity: &str) -> Result<Resource<Self>, Failure> {
        if let Some(fault) = path::fault(identity) {
            return Err(Failure::invalid(fault));
        }
        let folder = Folder::granted()?;
        match folder.entry(identity)? {
            Entry::File => Ok(resource(identity.to_owned(), folder.see(identity)?)),
            Entry::Nothing => Err(Failure::NotFound),
            Entry::Other => Err(stranger(identity)),
        }
    }
}

fn stranger(path: &str) -> Failure {
    Failure::conflict(
        "file.exists",
        format!("`{path}` is there already, and not of this resource"),
        "move it away, or say `adopt: true` on the resource to take it over",
    )
}

fn resource(path: String, Seen { sha256, size, mode }: Seen) -> Resource<File> {
    let state = State { path: path.clone(), sha256, size, mode: mode.to_string() };
    Resource { id: path, outputs: state.clone(), state, private: Vec::new() }
}

/// The file that is wanted.
fn of(props: &Props) -> Result<Seen, Failure> {
    let content = props.content.as_bytes();
    let mode = Mode::parse(&props.mode).map_err(Failure::invalid)?;
    Ok(Seen { sha256: digest(content), size: content.len() as u64, mode })
}

pub(crate) fn digest(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let nibbles = bytes.iter().flat_map(|b| [b >> 4, b & 15]);
    nibbles.map(|n| char::from(DIGITS[usize::from(n)])).collect()
}
