//! `moved:`: resources that the state has under an older address.

use sheave_blueprint::Graph;
use sheave_engine::MovedAddress;
use sheave_model::stack::StackState;

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
            state.rename(&from, &to, &requiring);
            done.push(MovedAddress { from, to, requiring });
        }
    }
    done
}
