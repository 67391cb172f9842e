//! The part of time that a timeline shows. Does not know what is drawn in it.

/// What can be shown at once, nanoseconds, shortest first.
const SPANS: [u64; 19] = {
    const MS: u64 = 1_000_000;
    const S: u64 = 1_000 * MS;
    const MIN: u64 = 60 * S;
    const H: u64 = 60 * MIN;
    [
        100 * MS,
        200 * MS,
        500 * MS,
        S,
        2 * S,
        5 * S,
        10 * S,
        30 * S,
        MIN,
        2 * MIN,
        5 * MIN,
        10 * MIN,
        30 * MIN,
        H,
        2 * H,
        6 * H,
        24 * H,
        7 * 24 * H,
        30 * 24 * H,
    ]
};
/// A minute.
const DEFAULT: usize = 8;

/// See the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeline {
    /// Which of the spans.
    span: usize,
    /// Its right edge, boot-time nanoseconds; `None` for the present.
    end_ns: Option<u64>,
}

impl Default for Timeline {
    fn default() -> Self {
        Self { span: DEFAULT, end_ns: None }
    }
}

impl Timeline {
    /// From when to when, boot-time nanoseconds; the beginning may lie before the machine's.
    #[must_use]
    pub fn range(&self, now_ns: u64) -> std::ops::Range<i128> {
        let end = i128::from(self.end_ns.unwrap_or(now_ns));
        end - i128::from(SPANS[self.span])..end
    }

    /// Whether it moves with the present.
    #[must_use]
    pub const fn follows(&self) -> bool {
        self.end_ns.is_none()
    }

    /// Zooms by so many steps, inwards if positive; the right edge stays.
    pub(super) fn zoom(&mut self, steps: isize) {
        self.span = self.span.saturating_add_signed(-steps).min(SPANS.len() - 1);
    }

    /// Moves by a quarter of what is shown. From the present on it moves with it again.
    pub(in crate::app) fn pan(&mut self, back: bool, now_ns: u64) {
        let (end, by) = (self.end_ns.unwrap_or(now_ns), SPANS[self.span] / 4);
        let moved = if back { end.saturating_sub(by) } else { end.saturating_add(by) };
        self.end_ns = Some(moved).filter(|moved| *moved < now_ns);
    }

    /// Moves with the present again.
    pub(super) const fn follow(&mut self) {
        self.end_ns = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    #[test]
    fn it_follows_the_present_until_it_is_moved_and_again_when_it_gets_there() {
        let mut timeline = Timeline::default();
        assert_eq!(timeline.range(100 * SECOND), i128::from(40 * SECOND)..i128::from(100 * SECOND));
        timeline.pan(true, 100 * SECOND);
        assert_eq!(timeline.range(200 * SECOND).end, i128::from(85 * SECOND), "it stands still");
        assert!(!timeline.follows());
        timeline.pan(false, 100 * SECOND);
        assert!(timeline.follows());
        timeline.pan(true, 10 * SECOND);
        timeline.follow();
        assert!(timeline.follows());
    }

    #[test]
    fn zooming_ends_at_either_end_and_time_may_begin_before_the_machine() {
        let mut timeline = Timeline::default();
        timeline.zoom(100);
        assert_eq!(timeline.range(SECOND).start, i128::from(SECOND - SPANS[0]));
        timeline.zoom(-100);
        assert!(timeline.range(SECOND).start < 0);
        timeline.zoom(1);
        assert_eq!(timeline.span, SPANS.len() - 2);
    }
}
