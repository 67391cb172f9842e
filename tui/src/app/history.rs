//! Filters that were kept before, to be had again. Not written anywhere: it ends with the program.

/// More of them nobody goes through.
const LONGEST: usize = 100;

/// Older filters, the oldest first, and where among them one is.
#[derive(Debug, Default)]
pub(super) struct History {
    kept: Vec<String>,
    /// Index of the one that is in the line, and what was typed before.
    at: Option<(usize, String)>,
}

impl History {
    /// There are none.
    pub(super) fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// One of them is in the line, unchanged.
    pub(super) fn is_recalling(&self) -> bool {
        self.at.is_some()
    }

    /// Adds a filter as the newest; it is there once only.
    pub(super) fn keep(&mut self, filter: &str) {
        self.at = None;
        if filter.trim().is_empty() {
            return;
        }
        self.kept.retain(|kept| kept != filter);
        self.kept.push(filter.to_owned());
        self.kept.drain(..self.kept.len().saturating_sub(LONGEST));
    }

    /// What is in the line is no longer one of them.
    pub(super) fn leave(&mut self) {
        self.at = None;
    }

    /// The next older or newer one; past the newest, what was `typed` before. `None` when there is no further one.
    pub(super) fn recall(&mut self, older: bool, typed: &str) -> Option<String> {
        let newest = self.kept.len().checked_sub(1)?;
        let to = match (&self.at, older) {
            (None, true) => newest,
            (None, false) => return None,
            (Some((at, _)), true) => at.checked_sub(1)?,
            (Some((at, typed)), false) if *at == newest => {
                let typed = typed.clone();
                self.at = None;
                return Some(typed);
            }
            (Some((at, _)), false) => at + 1,
        };
        let typed = self.at.take().map_or_else(|| typed.to_owned(), |(_, typed)| typed);
        self.at = Some((to, typed));
        self.kept.get(to).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn older_and_newer_ones_come_back_in_order_and_then_what_was_typed() {
        let mut history = History::default();
        assert_eq!(history.recall(true, "x"), None);
        for filter in ["a", "b", " ", "a", "c"] {
            history.keep(filter);
        }
        let mut recall = |older| history.recall(older, "typed");
        assert_eq!(recall(false), None);
        assert_eq!([recall(true), recall(true), recall(true)].map(Option::unwrap), ["c", "a", "b"]);
        assert_eq!(recall(true), None);
        assert_eq!([recall(false), recall(false), recall(false)].map(Option::unwrap), ["a", "c", "typed"]);
        assert!(!history.is_recalling());
    }

    #[test]
    fn it_does_not_grow_without_end() {
        let mut history = History::default();
        (0..1000).for_each(|n| history.keep(&n.to_string()));
        assert_eq!((history.kept.len(), history.kept[0].as_str()), (LONGEST, "900"));
    }
}
