//! How many a second: counts over a sliding window, in constant memory.
//!
//! Does not know what is counted.

/// Parts that a window is made of.
const BUCKETS: u64 = 20;

/// Events in a window that ends now and moves in steps of a twentieth of its length.
#[derive(Clone, Debug)]
pub struct Rate {
    bucket_ns: u64,
    /// Number of the newest bucket since time zero.
    newest: u64,
    /// By bucket number modulo their count.
    counts: [u32; BUCKETS as usize],
}

impl Rate {
    /// Over a window of this many nanoseconds.
    #[must_use]
    pub const fn new(window_ns: u64) -> Self {
        let bucket_ns = if window_ns < BUCKETS { 1 } else { window_ns / BUCKETS };
        Self { bucket_ns, newest: 0, counts: [0; BUCKETS as usize] }
    }

    /// The number of the step of the window that a time falls into.
    #[must_use]
    pub const fn step(&self, ts_ns: u64) -> u64 {
        ts_ns / self.bucket_ns
    }

    /// Counts one; an event older than the window is not counted.
    pub fn add(&mut self, ts_ns: u64) {
        self.add_many(ts_ns, 1);
    }

    /// Counts so many of one moment.
    pub fn add_many(&mut self, ts_ns: u64, n: u32) {
        let bucket = self.step(ts_ns);
        self.advance(bucket);
        if bucket >= oldest(self.newest) {
            self.count(bucket, n);
        }
    }

    /// Adds what another window of the same length counted.
    pub fn merge(&mut self, other: &Self) {
        self.advance(other.newest);
        for bucket in oldest(self.newest)..=other.newest {
            self.count(bucket, other.counts[index(bucket)]);
        }
    }

    /// Events in the window that ends at `now_ns`, the ones later than that included.
    #[must_use]
    pub fn total(&self, now_ns: u64) -> u64 {
        let newest = self.newest.max(self.step(now_ns));
        (oldest(newest)..=self.newest).map(|bucket| u64::from(self.counts[index(bucket)])).sum()
    }

    /// Events per second in the window that ends at `now_ns`.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "counts and nanoseconds of a few seconds")]
    pub fn per_s(&self, now_ns: u64) -> f64 {
        // The newest bucket is not over yet: the window is that much shorter.
        let newest = self.newest.max(self.step(now_ns));
        let since = oldest(newest).saturating_mul(self.bucket_ns);
        let span = now_ns.saturating_sub(since).clamp((BUCKETS - 1) * self.bucket_ns, BUCKETS * self.bucket_ns);
        self.total(now_ns) as f64 * 1e9 / span as f64
    }

    fn count(&mut self, bucket: u64, n: u32) {
        let count = &mut self.counts[index(bucket)];
        *count = count.saturating_add(n);
    }

    fn advance(&mut self, bucket: u64) {
        let stale = bucket.saturating_sub(self.newest).min(BUCKETS);
        for passed in 0..stale {
            self.counts[index(bucket - passed)] = 0;
        }
        self.newest = self.newest.max(bucket);
    }
}

/// The oldest bucket of the window that this one ends.
const fn oldest(newest: u64) -> u64 {
    newest.saturating_sub(BUCKETS - 1)
}

const fn index(bucket: u64) -> usize {
    (bucket % BUCKETS) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    #[test]
    fn a_steady_rate_is_measured_at_any_moment() {
        let mut rate = Rate::new(2 * SECOND);
        for n in 0..1000 {
            rate.add(n * SECOND / 100);
            if n > 200 {
                let measured = rate.per_s(n * SECOND / 100);
                assert!((measured - 100.0).abs() < 1.0, "{measured} at {n}");
            }
        }
    }

    #[test]
    fn what_leaves_the_window_is_forgotten_whether_time_creeps_or_leaps() {
        let mut rate = Rate::new(2 * SECOND);
        rate.add(10 * SECOND);
        rate.add(11 * SECOND);
        assert_eq!(rate.total(11 * SECOND), 2);
        assert_eq!(rate.total(12 * SECOND), 1, "the first is two seconds old");
        assert_eq!(rate.total(900 * SECOND), 0);
        rate.add(900 * SECOND);
        assert_eq!(rate.total(900 * SECOND), 1, "buckets are emptied before they are used again");
        rate.add(1);
        assert_eq!(rate.total(900 * SECOND), 1, "too old to count");
        rate.add(899 * SECOND);
        assert_eq!(rate.total(900 * SECOND), 2, "late, but within the window");
    }

    #[test]
    fn a_merge_counts_as_if_both_had_been_counted_in_one() {
        for (a, b) in [(10 * SECOND, 11 * SECOND), (11 * SECOND, 10 * SECOND), (10 * SECOND, 20 * SECOND)] {
            let (mut one, mut other, mut both) = (Rate::new(2 * SECOND), Rate::new(2 * SECOND), Rate::new(2 * SECOND));
            one.add(a);
            both.add(a);
            other.add(b);
            both.add(b);
            one.merge(&other);
            for now in [10, 11, 12, 13, 20, 21, 22] {
                assert_eq!(one.total(now * SECOND), both.total(now * SECOND), "{a} {b} at {now}");
            }
        }
    }

    #[test]
    fn extreme_times_and_windows_are_taken() {
        for window in [0, 1, u64::MAX] {
            let mut rate = Rate::new(window);
            rate.add(u64::MAX);
            rate.add(0);
            assert!(rate.per_s(u64::MAX) >= 0.0 && rate.per_s(0) >= 0.0);
        }
    }
}
