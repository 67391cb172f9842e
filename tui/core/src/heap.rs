//! What allocations cost, as near as can be told without asking the allocator.
//!
//! Reckoned as glibc's does it on 64-bit machines: eight bytes for itself, steps of sixteen, 32 at the least.

use std::collections::HashMap;

/// What a block of so many bytes occupies; nothing for an empty one, which is not allocated.
pub(crate) const fn block(bytes: usize) -> usize {
    match bytes {
        0 => 0,
        1..=24 => 32,
        _ => (bytes + 8).next_multiple_of(16),
    }
}

/// What a shared value of so many bytes occupies with its two counts.
pub(crate) const fn shared(bytes: usize) -> usize {
    block(2 * size_of::<usize>() + bytes)
}

/// What a hash map occupies: it has room for eight entries where it takes seven, and a byte more for each.
pub(crate) fn map<K, V, S>(map: &HashMap<K, V, S>) -> usize {
    map.capacity() * 8 / 7 * (size_of::<(K, V)>() + 1)
}

#[cfg(test)]
mod tests {
    #[test]
    fn blocks_have_a_head_and_are_rounded_up() {
        assert_eq!([0, 1, 24, 25, 40, 41].map(super::block), [0, 32, 32, 48, 48, 64]);
        assert_eq!(super::shared(8), 32);
    }
}
