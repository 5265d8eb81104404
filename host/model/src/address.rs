//! Where a resource stands in its stack: `web`, `shard[2]`, `shard["eu"]`, `db.primary.volume`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Which instance of a `count` or `for-each`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// The position in a list, from zero.
    Index(u64),
    /// The key in a map.
    Name(String),
}

/// One name on the way from the stack's root to a resource: a module, or last the resource itself.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Step {
    /// The name in the blueprint.
    pub name: String,
    /// Which instance, where the module or resource is repeated.
    pub key: Option<Key>,
}

/// A resource instance's address, module path included. Never empty.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address(Vec<Step>);

/// Why a text is no address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an address: {why}")]
pub struct AddressError {
    /// What was given.
    pub text: String,
    /// What is wrong with it.
    pub why: &'static str,
}

impl Address {
    /// A resource at the stack's root.
    pub fn new(name: impl Into<String>) -> Self {
        Self(vec![Step { name: name.into(), key: None }])
    }

    /// The same address as the instance `key` of a repeated resource.
    #[must_use]
    pub fn with_key(mut self, key: Key) -> Self {
        if let Some(last) = self.0.last_mut() {
            last.key = Some(key);
        }
        self
    }

    /// A resource inside the module that this address names.
    #[must_use]
    pub fn child(mut self, name: impl Into<String>) -> Self {
        self.0.push(Step { name: name.into(), key: None });
        self
    }

    /// The steps from the root; the last is the resource.
    pub fn steps(&self) -> &[Step] {
        &self.0
    }

    /// The resource's own name, without module path and key.
    pub fn name(&self) -> &str {
        self.0.last().map_or("", |s| s.name.as_str())
    }

    /// The instance's key, where the resource is repeated.
    pub fn key(&self) -> Option<&Key> {
        self.0.last().and_then(|s| s.key.as_ref())
    }

    /// The address of the resource that this is an instance of.
    #[must_use]
    pub fn without_key(&self) -> Self {
        let mut steps = self.0.clone();
        if let Some(last) = steps.last_mut() {
            last.key = None;
        }
        Self(steps)
    }

    /// Whether it is `outer`, an instance of it, or stands in it. A step of `outer` without a key means every instance.
    pub fn is_within(&self, outer: &Self) -> bool {
        outer.0.len() <= self.0.len()
            && outer
                .0
                .iter()
                .zip(&self.0)
                .all(|(o, s)| o.name == s.name && (o.key.is_none() || o.key == s.key))
    }

    /// What it stands in, itself included, as runs name it: each module on its way and each repeated one as a whole, of
    /// which it is an instance. Where [`Self::is_within`] is asked of many, these can be looked up.
    pub fn around(&self) -> impl Iterator<Item = Self> + '_ {
        // Of a place whose instances are not known, the steps from some point on have no keys.
        (1..=self.0.len()).flat_map(move |steps| {
            (0..=steps).filter(move |known| *known == steps || self.0[*known].key.is_some()).map(
                move |known| {
                    let step = |(i, step): (usize, &Step)| Step {
                        name: step.name.clone(),
                        key: step.key.clone().filter(|_| i < known),
                    };
                    Self(self.0[..steps].iter().enumerate().map(step).collect())
                },
            )
        })
    }

    /// The same place under another address: `from` (which it is within) read as `to`. Where `from` means every
    /// instance, and `to` too, the key stays.
    pub fn rebased(&self, from: &Self, to: &Self) -> Option<Self> {
        if !self.is_within(from) {
            return None;
        }
        let at = from.0.len();
        let mut steps = to.0.clone();
        if let (Some(last), Some(old), Some(named)) = (steps.last_mut(), self.0.get(at - 1), from.0.last())
            && last.key.is_none()
            && named.key.is_none()
        {
            last.key.clone_from(&old.key);
        }
        steps.extend_from_slice(&self.0[at..]);
        Some(Self(steps))
    }

    /// The same address without any key, modules' included.
    #[must_use]
    pub fn bare(&self) -> Self {
        Self(self.0.iter().map(|s| Step { name: s.name.clone(), key: None }).collect())
    }

    /// The first `steps` steps; none where there are no such.
    pub fn prefix(&self, steps: usize) -> Option<Self> {
        (steps > 0 && steps <= self.0.len()).then(|| Self(self.0[..steps].to_vec()))
    }

    /// The module that the resource stands in; none at the root.
    pub fn module(&self) -> Option<Self> {
        (self.0.len() > 1).then(|| Self(self.0[..self.0.len() - 1].to_vec()))
    }
}

/// Whether `name` may name a resource, module, input, target or output:
/// a letter, then letters, digits, `-` and `_`; at most 63 characters.
pub fn is_name(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic())
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
        && name.len() <= 63
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, step) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str(".")?;
            }
            f.write_str(&step.name)?;
            match &step.key {
                None => {}
                Some(Key::Index(n)) => write!(f, "[{n}]")?,
                Some(Key::Name(k)) => write!(f, "[{}]", serde_json::Value::from(k.as_str()))?,
            }
        }
        Ok(())
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let fault = |why| AddressError { text: text.to_owned(), why };
        let mut steps = Vec::new();
        let mut rest = text;
        loop {
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            let name = &rest[..end];
            if !is_name(name) {
                return Err(fault("a name is a letter, then letters, digits, `-` and `_`"));
            }
            rest = &rest[end..];
            let mut key = None;
            if let Some(inside) = rest.strip_prefix('[') {
                let mut parsed = serde_json::Deserializer::from_str(inside).into_iter::<serde_json::Value>();
                key = Some(match parsed.next() {
                    Some(Ok(serde_json::Value::String(s))) => Key::Name(s),
                    Some(Ok(serde_json::Value::Number(n))) => {
                        Key::Index(n.as_u64().ok_or_else(|| fault("an index is a whole number from zero"))?)
                    }
                    _ => return Err(fault("a key is a number or a text in double quotes")),
                });
                rest = inside[parsed.byte_offset()..]
                    .strip_prefix(']')
                    .ok_or_else(|| fault("the key's bracket is not closed"))?;
            }
            steps.push(Step { name: name.to_owned(), key });
            if rest.is_empty() {
                return Ok(Self(steps));
            }
            rest = rest.strip_prefix('.').ok_or_else(|| fault("a `.` was expected between two names"))?;
        }
    }
}

impl Serialize for Address {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_back_what_it_writes() {
        for text in ["web", "shard[2]", r#"shard["e\"u.]"]"#, "db.primary[0].volume"] {
            assert_eq!(text.parse::<Address>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn is_within_all_that_is_around_it() {
        let address: Address = "shop[1].db.primary[0]".parse().unwrap();
        let around: Vec<String> = address.around().map(|a| a.to_string()).collect();
        let wanted = [
            "shop",
            "shop[1]",
            "shop.db",
            "shop[1].db",
            "shop.db.primary",
            "shop[1].db.primary",
            "shop[1].db.primary[0]",
        ];
        assert_eq!(around, wanted);
        assert!(address.around().all(|outer| address.is_within(&outer)));
        let web = Address::new("web");
        assert!(web.around().eq([web.clone()]));
    }

    #[test]
    fn refuses_what_is_no_address() {
        for text in ["", ".", "a.", "1a", "a[", "a[x]", "a[-1]", "a[1", "a[1]b", "a b"] {
            assert!(text.parse::<Address>().is_err(), "{text}");
        }
    }
}
