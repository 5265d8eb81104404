//! `moved:`: resources that the state has under an older address.

use sheave_blueprint::Graph;
use sheave_engine::MovedAddress;
use sheave_model::stack::StackState;
use sheave_model::{Address, Sealed};

/// Gives resources of the state the addresses that the blueprint has for them now. The state on disk follows when the
/// run begins to change something.
pub(crate) fn apply_moves(graph: &Graph, state: &mut StackState) -> Vec<MovedAddress> {
    let mut done = Vec::new();
    for moved in &graph.moved {
        let here: Vec<_> = state.resources.keys().filter(|a| a.is_within(&moved.from)).cloned().collect();
        for from in here {
            let Some(to) = from.rebased(&moved.from, &moved.to) else { continue };
            if state.resources.contains_key(&to) {
                continue;
            }
            let requiring = state.requiring(&from);
            let passwords = carried(state, &from, &to);
            state.passwords.extend(passwords);
            state.rename(&from, &to, &requiring);
            done.push(MovedAddress { from, to, requiring });
        }
    }
    done
}

/// The passwords that go with a resource from one module to another, by their new names: which of them its expressions ask
/// for is known only when they are evaluated, so all of the module that it stood in. One that is there already stays.
pub(crate) fn carried(state: &StackState, from: &Address, to: &Address) -> Vec<(String, Sealed)> {
    let (old, new) = (scope(from), scope(to));
    if old == new {
        return Vec::new();
    }
    let own = |(name, sealed): (&String, &Sealed)| {
        let name = name.strip_prefix(&old).filter(|n| !n.contains('/'))?;
        let name = format!("{new}{name}");
        let sealed = state.passwords.get(&name).unwrap_or(sealed).clone();
        Some((name, sealed))
    };
    state.passwords.iter().filter_map(own).collect()
}

/// How the names of passwords begin that expressions beside a resource make.
fn scope(address: &Address) -> String {
    address.module().map_or_else(String::new, |module| format!("{module}/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_go_along_and_none_is_lost() {
        let mut state = StackState::default();
        for name in ["db", "admin", "m/admin", "m[0]/db", "m/n/deep"] {
            let sealed = serde_json::from_value(serde_json::json!({"of": name})).unwrap();
            state.passwords.insert(name.to_owned(), sealed);
        }
        let carried = |from: &str, to: &str| -> Vec<String> {
            let all = carried(&state, &from.parse().unwrap(), &to.parse().unwrap());
            all.iter()
                .map(|(name, of)| format!("{name}={}", serde_json::to_value(of).unwrap()["of"]))
                .collect()
        };
        assert_eq!(carried("web", "m.web"), ["m/admin=\"m/admin\"", "m/db=\"db\""], "it has one already");
        assert_eq!(carried("m[0].web", "web"), ["db=\"db\""]);
        assert_eq!(carried("m.web", "k.n.web"), ["k.n/admin=\"m/admin\""], "not those of modules within");
        assert_eq!(carried("web", "web[0]"), [""; 0]);
    }
}
