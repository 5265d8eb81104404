//! Where an object's record stands among those of its resource, so that a resource with thousands costs no search each.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher as _};

use crate::Address;
use crate::plugin::ObjectId;
use crate::stack::ObjectRecord;

/// Lists up to this length are searched: most are, and an index costs more.
const SEARCHED: usize = 16;

/// Indexes of the lists that were asked about. It says nothing by itself: all of them are equal.
#[derive(Clone, Debug, Default)]
pub struct Places(HashMap<Address, Index>);

#[derive(Clone, Debug, Default)]
struct Index {
    /// How long the list was when it was indexed, with what was added since.
    length: usize,
    by_digest: HashMap<u64, usize>,
}

impl PartialEq for Places {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

fn digest(target: &str, id: &ObjectId) -> u64 {
    let mut hasher = DefaultHasher::new();
    (target, &id.api_version, &id.kind, &id.namespace, &id.name).hash(&mut hasher);
    hasher.finish()
}

fn is(object: &ObjectRecord, target: &str, id: &ObjectId) -> bool {
    object.target == target && object.id == *id
}

impl Places {
    /// Where the object stands in its resource's list.
    pub(crate) fn find(
        &mut self,
        address: &Address,
        objects: &[ObjectRecord],
        target: &str,
        id: &ObjectId,
    ) -> Option<usize> {
        let search = || objects.iter().position(|o| is(o, target, id));
        if objects.len() <= SEARCHED {
            return search();
        }
        let index = self.0.entry(address.clone()).or_default();
        if index.length != objects.len() {
            index.by_digest =
                objects.iter().enumerate().map(|(i, o)| (digest(&o.target, &o.id), i)).collect();
            index.length = objects.len();
        }
        let at = *index.by_digest.get(&digest(target, id))?;
        // Two of one digest are next to impossible, and yet nothing may rest on it.
        if objects.get(at).is_some_and(|o| is(o, target, id)) { Some(at) } else { search() }
    }

    /// The object was added at the end of its resource's list.
    pub(crate) fn added(&mut self, address: &Address, object: &ObjectRecord) {
        if let Some(index) = self.0.get_mut(address) {
            index.by_digest.insert(digest(&object.target, &object.id), index.length);
            index.length += 1;
        }
    }

    /// The list was changed in another way.
    pub(crate) fn forget(&mut self, address: &Address) {
        self.0.remove(address);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::ObjectOrder;

    fn object(name: usize) -> ObjectRecord {
        let id = ObjectId {
            api_version: "v1".into(),
            kind: "A".into(),
            namespace: None,
            name: format!("o-{name}"),
        };
        ObjectRecord {
            slot: name.to_string(),
            target: "main".into(),
            id,
            uid: None,
            created: true,
            desired: String::new(),
            owned: String::new(),
            order: ObjectOrder::default(),
        }
    }

    #[test]
    fn a_place_is_what_a_search_finds_whatever_comes_and_goes() {
        let (mut places, address) = (Places::default(), Address::new("many"));
        let mut objects: Vec<ObjectRecord> = Vec::new();
        for round in 0..400 {
            // Some go, more come: names come back, and the length is now and then as it was.
            let wanted = object(round * 7 % 90);
            let known = places.find(&address, &objects, &wanted.target, &wanted.id);
            assert_eq!(known, objects.iter().position(|o| o.id == wanted.id), "round {round}");
            match known {
                None => {
                    places.added(&address, &wanted);
                    objects.push(wanted);
                }
                Some(at) if round % 3 == 0 => {
                    objects.remove(at);
                    places.forget(&address);
                }
                Some(at) => objects[at].uid = Some(round.to_string()),
            }
            let elsewhere = places.find(&address, &objects, "other", &object(0).id);
            assert_eq!(elsewhere, None, "another target's is another");
        }
        assert!(objects.len() > SEARCHED, "{}", objects.len());
    }
}
