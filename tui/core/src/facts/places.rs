//! Numbers that compare as texts do, for sorts by texts that are longer than a rank.
//!
//! Each text has a place between those before and behind it, with room left for others. Does not know what the texts are.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::ops::Bound::{Excluded, Unbounded};

/// See the module.
#[derive(Clone, Debug, Default)]
pub(crate) struct Places {
    places: RefCell<BTreeMap<Box<[u8]>, u64>>,
    /// There was no room for one.
    is_crowded: Cell<bool>,
}

impl Places {
    /// For all these, as far apart as they can be; in any order.
    pub(crate) fn of(texts: impl IntoIterator<Item = Box<[u8]>>) -> Self {
        let mut places: BTreeMap<Box<[u8]>, u64> = texts.into_iter().map(|text| (text, 0)).collect();
        let step = u64::MAX / (places.len() as u64 + 1);
        for (number, place) in (1..).zip(places.values_mut()) {
            *place = step * number;
        }
        Self { places: RefCell::new(places), is_crowded: Cell::new(false) }
    }

    /// The place of a text: a new one comes half-way between its neighbours.
    pub(crate) fn get(&self, text: &[u8]) -> u64 {
        if let Some(&place) = self.places.borrow().get(text) {
            return place;
        }
        let mut places = self.places.borrow_mut();
        let before = places.range::<[u8], _>((Unbounded, Excluded(text))).next_back().map_or(0, |(_, place)| *place);
        let behind = places.range::<[u8], _>((Excluded(text), Unbounded)).next().map_or(u64::MAX, |(_, place)| *place);
        let place = before + (behind - before) / 2;
        if place == before {
            self.is_crowded.set(true);
        }
        places.insert(text.into(), place);
        place
    }

    /// Whether they have to be made anew, for some to have places of their own again.
    pub(crate) fn is_crowded(&self) -> bool {
        self.is_crowded.get()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_compare_as_texts_do_until_it_is_said_that_they_do_not() {
        let texts: Vec<Box<[u8]>> =
            (0..40_u8).map(|n| format!("/a/long/beginning/{n:02}").into_bytes().into()).collect();
        let (some, others): (Vec<_>, Vec<_>) = texts.iter().cloned().enumerate().partition(|(n, _)| n % 3 == 0);
        let places = Places::of(some.into_iter().map(|(_, text)| text));
        for (_, text) in others.iter().rev() {
            places.get(text);
        }
        assert!(texts.iter().map(|text| places.get(text)).is_sorted_by(|one, other| one < other));
        assert!(!places.is_crowded());
        // Each behind the one before halves the room that is left.
        for n in 0..100 {
            places.get(format!("/z/{n:03}").as_bytes());
        }
        assert!(places.is_crowded());
    }
}
