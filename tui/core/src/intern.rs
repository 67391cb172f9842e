//! One shared copy of values that come again and again: paths of programs, and what processes have in common.
//!
//! Values that nobody else holds any more are swept out whenever their number or their bytes have doubled, so that sweeping costs a
//! constant for each value that was new. Hashed with a random key: the values are chosen by whoever runs processes.

use std::hash::Hash;
use std::sync::Arc;

use hashbrown::HashSet;

/// See the module.
#[derive(Debug)]
pub(crate) struct Interner<T: ?Sized> {
    values: HashSet<Arc<T>>,
    /// So many are held before the next sweep.
    sweep_at: usize,
    /// Bytes of the values that the last sweep left, and of those that came since.
    swept_bytes: usize,
    new_bytes: usize,
}

impl<T: ?Sized> Clone for Interner<T> {
    /// The values are shared by both.
    fn clone(&self) -> Self {
        let Self { values, sweep_at, swept_bytes, new_bytes } = self;
        Self { values: values.clone(), sweep_at: *sweep_at, swept_bytes: *swept_bytes, new_bytes: *new_bytes }
    }
}

impl<T: ?Sized> Default for Interner<T> {
    fn default() -> Self {
        Self { values: HashSet::new(), sweep_at: Self::SWEEP_MIN, swept_bytes: 0, new_bytes: 0 }
    }
}

impl<T: ?Sized> Interner<T> {
    /// With fewer values there is nothing worth sweeping.
    const SWEEP_MIN: usize = 256;
    /// Nor with fewer bytes.
    const SWEEP_BYTES_MIN: usize = 1 << 20;
}

impl<T: ?Sized + Eq + Hash> Interner<T> {
    /// What it occupies, bytes, if a value occupies so many.
    pub(crate) fn bytes(&self, value: usize) -> usize {
        self.values.allocation_size() + self.values.len() * value
    }

    /// The copy that is shared; of a new value that which is made here.
    pub(crate) fn share(&mut self, value: &T, make: impl FnOnce() -> Arc<T>) -> Arc<T> {
        if let Some(shared) = self.values.get(value) {
            return Arc::clone(shared);
        }
        if self.values.len() >= self.sweep_at || self.new_bytes >= self.swept_bytes.max(Self::SWEEP_BYTES_MIN) {
            self.values.retain(|value| Arc::strong_count(value) > 1);
            self.values.shrink_to(Self::SWEEP_MIN);
            self.sweep_at = Self::SWEEP_MIN.max(2 * self.values.len());
            self.swept_bytes = self.values.iter().map(|value| size_of_val(&**value)).sum();
            self.new_bytes = 0;
        }
        self.new_bytes += size_of_val(value);
        let shared = make();
        self.values.insert(Arc::clone(&shared));
        shared
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_are_one_and_those_that_nobody_holds_go() {
        let mut interner = Interner::<[u8]>::default();
        let held = interner.share(b"/bin/sh", || b"/bin/sh".as_slice().into());
        for n in 0..100_000_u32 {
            interner.share(&n.to_le_bytes(), || n.to_le_bytes().as_slice().into());
        }
        assert!(interner.values.len() <= 256 && interner.values.capacity() < 2048, "{}", interner.values.capacity());
        assert!(Arc::ptr_eq(&held, &interner.share(b"/bin/sh", || unreachable!())));
        for n in 0..2000_u32 {
            let long = [n.to_le_bytes().as_slice(), &[b'x'; 4000]].concat();
            interner.share(&long, || long.as_slice().into());
            let bytes: usize = interner.values.iter().map(|value| value.len()).sum();
            assert!(bytes <= (1 << 20) + 8000, "{bytes}");
        }
        let all: Vec<_> =
            (0..1000_u32).map(|n| interner.share(&n.to_be_bytes(), || n.to_be_bytes().as_slice().into())).collect();
        assert!(all.iter().zip(0..1000_u32).all(|(value, n)| **value == n.to_be_bytes()));
        assert!((1000..2048).contains(&interner.values.len()), "those that are held stay");
    }
}
