//! Small forms of what a process holds many of.
//!
//! Know nothing but how to be put away and read again.

use std::num::NonZeroU32;

use crate::event::{Cost, ProcKey};

/// An `Option<u64>` in eight bytes. `u64::MAX`, neither a time nor a size that occurs, means none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PackedOption(u64);

impl From<Option<u64>> for PackedOption {
    fn from(value: Option<u64>) -> Self {
        Self(value.unwrap_or(u64::MAX))
    }
}

impl PackedOption {
    pub(crate) fn get(self) -> Option<u64> {
        Some(self.0).filter(|&value| value != u64::MAX)
    }
}

/// An `Option<u32>` in four bytes, of a number that is never 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct PackedCount(Option<NonZeroU32>);

impl From<Option<u32>> for PackedCount {
    fn from(value: Option<u32>) -> Self {
        Self(value.and_then(NonZeroU32::new))
    }
}

impl PackedCount {
    pub(super) fn get(self) -> Option<u32> {
        self.0.map(NonZeroU32::get)
    }
}

/// An `Option<f32>` in four bytes: what is no number means none.
#[derive(Clone, Copy, Debug)]
pub(super) struct PackedRate(f32);

impl From<Option<f32>> for PackedRate {
    fn from(value: Option<f32>) -> Self {
        Self(value.unwrap_or(f32::NAN))
    }
}

impl PackedRate {
    pub(super) fn get(self) -> Option<f32> {
        Some(self.0).filter(|value| !value.is_nan())
    }
}

/// A [`ProcKey`] without padding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PackedKey {
    pid: u32,
    start_ns: [u32; 2],
}

impl From<ProcKey> for PackedKey {
    fn from(key: ProcKey) -> Self {
        #[expect(clippy::cast_possible_truncation, reason = "the two halves")]
        let start_ns = [key.start_ns as u32, (key.start_ns >> 32) as u32];
        Self { pid: key.pid, start_ns }
    }
}

impl PackedKey {
    pub(super) fn get(self) -> ProcKey {
        let [low, high] = self.start_ns.map(u64::from);
        ProcKey::new(self.pid, high << 32 | low)
    }
}

/// A [`Cost`] with its options packed, and no more aligned than its halves: beside it there is room for how the process ended.
#[derive(Clone, Copy, Debug)]
#[repr(C, packed(4))]
pub(super) struct PackedCost {
    cpu_ns: u64,
    user_ns: PackedOption,
    run_delay_ns: PackedOption,
    max_rss_bytes: PackedOption,
    read_bytes: PackedOption,
    write_bytes: PackedOption,
    minor_faults: u64,
    /// As the kernel's records have it.
    major_faults: u32,
    threads_begun: PackedCount,
    threads_most: PackedCount,
}

impl From<Cost> for PackedCost {
    fn from(cost: Cost) -> Self {
        let Cost {
            cpu_ns,
            user_ns,
            run_delay_ns,
            max_rss_bytes,
            read_bytes,
            write_bytes,
            threads_begun,
            threads_most,
            minor_faults,
            major_faults,
        } = cost;
        Self {
            cpu_ns,
            user_ns: user_ns.into(),
            run_delay_ns: run_delay_ns.into(),
            max_rss_bytes: max_rss_bytes.into(),
            read_bytes: read_bytes.into(),
            write_bytes: write_bytes.into(),
            minor_faults,
            major_faults: u32::try_from(major_faults).unwrap_or(u32::MAX),
            threads_begun: threads_begun.into(),
            threads_most: threads_most.into(),
        }
    }
}

impl PackedCost {
    pub(super) fn get(self) -> Cost {
        let Self {
            cpu_ns,
            user_ns,
            run_delay_ns,
            max_rss_bytes,
            read_bytes,
            write_bytes,
            minor_faults,
            major_faults,
            threads_begun,
            threads_most,
        } = self;
        Cost {
            cpu_ns,
            user_ns: user_ns.get(),
            run_delay_ns: run_delay_ns.get(),
            max_rss_bytes: max_rss_bytes.get(),
            read_bytes: read_bytes.get(),
            write_bytes: write_bytes.get(),
            threads_begun: threads_begun.get(),
            threads_most: threads_most.get(),
            minor_faults,
            major_faults: major_faults.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_comes_out_the_same() {
        for start_ns in [0, 1, u64::from(u32::MAX), 1 << 32, u64::MAX] {
            let key = ProcKey::new(7, start_ns);
            assert_eq!(PackedKey::from(key).get(), key);
        }
        for value in [None, Some(0), Some(u64::MAX - 1)] {
            assert_eq!(PackedOption::from(value).get(), value);
        }
        for value in [None, Some(0.0), Some(1e9)] {
            assert_eq!(PackedRate::from(value).get(), value);
        }
        let cost = Cost {
            cpu_ns: 1,
            user_ns: Some(0),
            run_delay_ns: None,
            max_rss_bytes: Some(2),
            read_bytes: None,
            write_bytes: Some(0),
            minor_faults: 3,
            major_faults: 4,
            threads_begun: Some(5),
            threads_most: None,
        };
        assert_eq!(PackedCost::from(cost).get(), cost);
    }
}
