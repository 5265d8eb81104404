//! Changing what is recorded, and nothing else: resources forgotten or given another address.

use sheave_model::event::{Event, RunOutcome, What};
use sheave_model::journal::{Change, Entry, RunRecord};
use sheave_model::plan::{Counts, Plan, Purpose};
use sheave_model::stack::StackState;
use sheave_model::{Address, Diagnostic, Severity};
use sheave_state::{LockGuard, SqliteStore, Store as _};

use crate::context::now;
use crate::driver::{Driver, explained, state_fault};
use crate::moves::carried;
use crate::request::Fault;

/// A stack's whole state.
#[derive(Clone, Debug)]
pub struct StateExport {
    /// The state as JSON; secrets are sealed or masked.
    pub state: serde_json::Value,
}

impl Driver {
    /// Everything that is recorded of the stack.
    pub async fn state_export(&self) -> Result<StateExport, Fault> {
        let state = self.recorded().await?;
        let state = serde_json::to_value(&state).map_err(|e| {
            explained(
                Diagnostic::error("state.failed", "the state cannot be written as JSON")
                    .with_detail(e.to_string()),
            )
        })?;
        Ok(StateExport { state })
    }

    /// Forgets a resource, all instances of it, or all that stands in a module: what is there stays, and is nobody's from
    /// then on. `approve` sees which.
    pub async fn state_remove(
        &self,
        address: &Address,
        approve: impl AsyncFnOnce(&[Address]) -> bool,
    ) -> Result<Option<Vec<Address>>, Fault> {
        self.amend(async |state| {
            let found = within(state, address)?;
            if !approve(&found).await {
                return Ok(None);
            }
            let entries = found.iter().map(|a| Entry::ResourceForgotten { address: a.clone() }).collect();
            let said =
                found.iter().map(|a| format!("`{a}` was forgotten; what it stood for is left as it is"));
            Ok(Some((entries, said.collect(), found)))
        })
        .await
    }

    /// Gives a resource, all instances of it, or all that stands in a module another address; gives each with its old and
    /// its new one.
    pub async fn state_move(&self, from: &Address, to: &Address) -> Result<Vec<(Address, Address)>, Fault> {
        let moved = self
            .amend(async |state| {
                let moves = moves(state, from, to)?;
                let mut entries = Vec::with_capacity(moves.len());
                // Each entry names who requires it by the addresses that hold when its turn comes.
                let mut then = state.clone();
                for (from, to) in &moves {
                    let passwords = carried(&then, from, to).into_iter();
                    let passwords = passwords.filter(|(name, _)| !then.passwords.contains_key(name));
                    let mut new: Vec<Entry> =
                        passwords.map(|(name, password)| Entry::PasswordMade { name, password }).collect();
                    let requiring = then.requiring(from);
                    new.push(Entry::ResourceMoved { from: from.clone(), to: to.clone(), requiring });
                    new.iter().for_each(|entry| then.record(entry));
                    entries.extend(new);
                }
                let said = moves.iter().map(|(from, to)| format!("`{from}` is called `{to}` from now on"));
                Ok(Some((entries, said.collect(), moves)))
            })
            .await?;
        Ok(moved.unwrap_or_default())
    }

    /// Under the lock: what `work` makes of the state is written down, as a run of its own.
    async fn amend<T>(
        &self,
        work: impl AsyncFnOnce(&StackState) -> Result<Option<(Vec<Entry>, Vec<String>, T)>, Fault>,
    ) -> Result<Option<T>, Fault> {
        let store = self.open_store().await?;
        let stack = self.stack_name(Purpose::Destroy, &store).await?;
        // That there is none is said before a lock is taken for it.
        self.recorded().await?;
        let lock = self.lock(&store, &stack).await?;
        let done = async {
            let state = self.load_state(&store, &stack).await?;
            let Some((entries, said, result)) = work(&state).await? else { return Ok(None) };
            write(&store, &lock, &state, entries, said).await?;
            Ok(Some(result))
        }
        .await;
        let _ = store.release(lock).await;
        done
    }
}

/// Writes entries down between the beginning and the end of a run, so that the history shows who did it.
async fn write(
    store: &SqliteStore,
    lock: &LockGuard,
    state: &StackState,
    entries: Vec<Entry>,
    said: Vec<String>,
) -> Result<(), Fault> {
    let run = uuid::Uuid::new_v4().to_string();
    let plan = Plan::nothing(&*state.name, state.serial);
    let record = RunRecord::of(plan);
    let mut all = vec![Entry::RunStarted { run: run.clone(), at: now(), record: Box::new(record) }];
    all.extend(entries);
    all.push(Entry::RunFinished { run, at: now(), outcome: RunOutcome::Ok, counts: Counts::default() });
    let event = |summary| {
        let mut diagnostic = Diagnostic::warning("state.amended", summary);
        diagnostic.severity = Severity::Note;
        Event { at: now(), stack: state.name.clone(), what: What::Diagnostic { diagnostic } }
    };
    let events: Vec<Event> = said.into_iter().map(event).collect();
    store.append(lock, &all, &events).await.map(|_| ()).map_err(|e| state_fault(&e))
}

/// The recorded resources at or within an address.
fn within(state: &StackState, address: &Address) -> Result<Vec<Address>, Fault> {
    let found: Vec<Address> = state.resources.keys().filter(|a| a.is_within(address)).cloned().collect();
    if found.is_empty() {
        return Err(explained(no_resource(address)));
    }
    Ok(found)
}

pub(crate) fn no_resource(address: &Address) -> Diagnostic {
    Diagnostic::error("state.no-resource", format!("the stack has no resource `{address}`"))
        .with_help("`sheave state list` shows what it has")
}

/// Which resource goes where; a fault where something stands there, or where one cannot be moved now.
fn moves(state: &StackState, from: &Address, to: &Address) -> Result<Vec<(Address, Address)>, Fault> {
    let found = within(state, from)?;
    let fault = |code: &str, summary: String, help: &str| {
        Err(explained(Diagnostic::error(code, summary).with_help(help)))
    };
    if from == to {
        let summary = format!("`{from}` is called so already");
        return fault("state.occupied", summary, "give it another address");
    }
    let mut moves = Vec::with_capacity(found.len());
    for old in &found {
        let new = rebased(old, from, to);
        let stays = |a: &&Address| !found.contains(a);
        let there =
            state.resources.keys().filter(stays).find(|a| a.bare() == new.bare() && !clear_of(a, &new));
        if let Some(there) = there {
            let summary = format!("`{old}` cannot become `{new}`: `{there}` is recorded already");
            return fault(
                "state.occupied",
                summary,
                "move or remove that one first, or choose another address",
            );
        }
        let open =
            state.in_flight.values().any(|i| i.address == *old && matches!(i.change, Change::Provide { .. }));
        if open {
            let summary =
                format!("an operation of `{old}` was cut off, and must be finished under its old address");
            return fault("state.in-flight", summary, "`sheave apply` finishes it; then move it");
        }
        moves.push((old.clone(), new));
    }
    Ok(moves)
}

/// Whether both can stand side by side: two instances of one resource, both with keys, and not the same.
fn clear_of(a: &Address, b: &Address) -> bool {
    a != b && a.steps().iter().zip(b.steps()).all(|(a, b)| a.key.is_some() == b.key.is_some())
}

/// `old`, which stands at or within `from`, as it is called once `from` is `to`: keys that `from` leaves open stay.
fn rebased(old: &Address, from: &Address, to: &Address) -> Address {
    let depth = from.steps().len();
    let mut steps: Vec<(String, Option<sheave_model::Key>)> =
        to.steps().iter().map(|s| (s.name.clone(), s.key.clone())).collect();
    if let (Some(last), Some(old), Some(from)) =
        (steps.last_mut(), old.steps().get(depth - 1), from.steps().last())
        && from.key.is_none()
        && last.1.is_none()
    {
        last.1.clone_from(&old.key);
    }
    steps.extend(old.steps().iter().skip(depth).map(|s| (s.name.clone(), s.key.clone())));
    let mut made: Option<Address> = None;
    for (name, key) in steps {
        let next = match made {
            None => Address::new(name),
            Some(outer) => outer.child(name),
        };
        made = Some(match key {
            Some(key) => next.with_key(key),
            None => next,
        });
    }
    made.unwrap_or_else(|| to.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Address {
        text.parse().unwrap()
    }

    fn state(addresses: &[&str]) -> StackState {
        let record = serde_json::json!({
            "type": "kubernetes:ConfigMap", "role": "emits", "schemaVersion": 1, "requires": [], "properties": {},
            "plugin": {"name": "kubernetes", "source": "builtin", "digest": "00"}, "status": "ready",
        });
        let record: sheave_model::stack::ResourceRecord = serde_json::from_value(record).unwrap();
        let mut state = StackState::default();
        state.resources.extend(addresses.iter().map(|a| (at(a), std::sync::Arc::new(record.clone()))));
        state
    }

    fn moved(all: &[&str], from: &str, to: &str) -> Result<Vec<String>, String> {
        let said = |m: Vec<(Address, Address)>| m.iter().map(|(a, b)| format!("{a} {b}")).collect();
        moves(&state(all), &at(from), &at(to)).map(said).map_err(|fault| match fault {
            Fault::Explained(report) | Fault::Locked(report) => report.diagnostics[0].code.clone(),
        })
    }

    #[test]
    fn one_many_and_whole_modules_move() {
        let all = ["web", "shard[0]", "shard[1]", "db.disk", "db.main[\"a\"]"];
        assert_eq!(moved(&all, "web", "www").unwrap(), ["web www"]);
        assert_eq!(moved(&all, "web", "new[3]").unwrap(), ["web new[3]"]);
        assert_eq!(moved(&all, "shard", "part").unwrap(), ["shard[0] part[0]", "shard[1] part[1]"]);
        assert_eq!(moved(&all, "shard[1]", "solo").unwrap(), ["shard[1] solo"]);
        assert_eq!(moved(&all, "shard[1]", "shard[7]").unwrap(), ["shard[1] shard[7]"]);
        assert_eq!(
            moved(&all, "db", "data").unwrap(),
            ["db.disk data.disk", "db.main[\"a\"] data.main[\"a\"]"]
        );
        assert_eq!(moved(&all, "web", "db.web").unwrap(), ["web db.web"]);
        assert_eq!(moved(&all, "web", "web[0]").unwrap(), ["web web[0]"], "as where a `count` is added");
    }

    #[test]
    fn what_is_taken_or_not_there_is_refused() {
        let all = ["web", "api", "shard[0]", "shard[1]"];
        assert_eq!(moved(&all, "web", "api").unwrap_err(), "state.occupied");
        assert_eq!(moved(&all, "web", "web").unwrap_err(), "state.occupied");
        assert_eq!(moved(&all, "web", "shard[1]").unwrap_err(), "state.occupied");
        assert_eq!(moved(&all, "web", "shard").unwrap_err(), "state.occupied", "beside its instances");
        assert_eq!(moved(&all, "shard", "web").unwrap_err(), "state.occupied");
        assert_eq!(moved(&all, "nothing", "x").unwrap_err(), "state.no-resource");
    }
}
