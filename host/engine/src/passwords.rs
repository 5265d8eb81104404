//! The passwords of a run: those that are there, and those that expressions asked for in vain.

use std::cell::RefCell;
use std::collections::BTreeMap;

use sheave_blueprint::Passwords;
use sheave_model::SecretText;

/// The passwords that are there, and those that were asked for in vain.
#[derive(Debug, Default)]
pub(crate) struct PasswordBook {
    made: BTreeMap<String, SecretText>,
    missing: RefCell<BTreeMap<String, u32>>,
}

impl PasswordBook {
    pub(crate) fn new(made: BTreeMap<String, SecretText>) -> Self {
        Self { made, missing: RefCell::default() }
    }

    /// Those asked for and not there, by name and length; the list begins anew.
    pub(crate) fn take_missing(&self) -> BTreeMap<String, u32> {
        self.missing.take()
    }

    pub(crate) fn add(&mut self, made: BTreeMap<String, SecretText>) {
        self.made.extend(made);
    }
}

impl Passwords for PasswordBook {
    fn get(&self, name: &str, length: u32) -> Option<SecretText> {
        let found = self.made.get(name).cloned();
        if found.is_none() {
            self.missing.borrow_mut().insert(name.to_owned(), length);
        }
        found
    }
}
