//! Names of users, as the source delivers them.

use std::collections::BTreeMap;

use ptree_core::text;

/// Names by uid, harmless to print.
#[derive(Clone, Debug, Default)]
pub struct Users {
    names: BTreeMap<u32, String>,
}

impl Users {
    /// Learns a name.
    pub fn name(&mut self, uid: u32, name: &str) {
        self.names.insert(uid, text::escape(name.as_bytes()).into_owned());
    }

    /// Makes sure that each of these has a name: its number until a better one comes.
    pub fn number(&mut self, uids: impl Iterator<Item = u32>) {
        for uid in uids {
            self.names.entry(uid).or_insert_with(|| uid.to_string());
        }
    }

    /// The name; `?` for a uid never heard of.
    #[must_use]
    pub fn get(&self, uid: u32) -> &str {
        self.names.get(&uid).map_or("?", String::as_str)
    }
}
