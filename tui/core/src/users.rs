//! Names of users, as a source delivers them. Nothing is looked up here.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::text;

/// Names by uid.
#[derive(Clone, Debug, Default)]
pub struct Users {
    names: BTreeMap<u32, String>,
}

impl Users {
    /// Learns a name; whether the user had another one before.
    pub(crate) fn name(&mut self, uid: u32, name: &str) -> bool {
        self.names.insert(uid, name.to_owned()).is_some_and(|before| before != name)
    }

    /// The name as it is, for a search in it; empty where it is not known.
    #[must_use]
    pub fn get(&self, uid: u32) -> &str {
        self.names.get(&uid).map_or("", String::as_str)
    }

    /// The name, harmless to print; the number where it is not known.
    #[must_use]
    pub fn shown(&self, uid: u32) -> Cow<'_, str> {
        match self.get(uid) {
            "" => uid.to_string().into(),
            name => text::readable(name.as_bytes()),
        }
    }
}
