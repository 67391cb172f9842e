//! What a terminal makes of the output, frame by frame, and what a person would not like to see there: lines that are
//! blank for a moment, a cursor that flashes, a selected row that changes its place by itself.

use std::fmt;
use std::num::NonZeroU16;
use std::time::Duration;

use vt100::Parser;

const BEGIN: &[u8] = b"\x1b[?2026h";
const END: &[u8] = b"\x1b[?2026l";
/// Lines above the heading of the list.
const HEADER: u16 = 2;
/// Wider, and panels stand beside the list.
const LIST_COLUMNS: u16 = 139;
/// Places inside of a frame where it is looked at.
const CUTS: usize = 4;
/// Words of escape sequences that clear the screen or a part of it.
const CLEARS: [&[u8]; 3] = [b"\x1b[2J", b"\x1b[J", b"\x1b[K"];

/// See the module.
pub(crate) struct Screen {
    parser: Parser,
    /// What belongs to a frame that is not complete.
    pending: Vec<u8>,
    size: (u16, u16),
    /// The selected row: what it begins with, and its line.
    selected: Option<(String, u16)>,
    /// Frames since a key was pressed.
    frames_since_key: usize,
    seen: Seen,
}

/// What was seen so far.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    time: Duration,
    /// Bytes of each frame.
    frames: Vec<usize>,
    /// Bytes that belong to no frame.
    outside: usize,
    /// Frames in which something is cleared.
    clears: usize,
    /// Lines that were blank within a frame, and neither before nor after it.
    blank: usize,
    /// Frames that show the cursor while nothing is typed.
    cursor: usize,
    /// How the selected row has changed its line though no key was pressed.
    jumps: Vec<String>,
}

impl Screen {
    /// A blank one, of so many columns and rows.
    pub(crate) fn new((columns, rows): (u16, u16)) -> Self {
        Self {
            parser: Parser::new(lines(rows), lines(columns), 0),
            pending: Vec::new(),
            size: (columns, rows),
            selected: None,
            frames_since_key: 0,
            seen: Seen::default(),
        }
    }

    /// Takes output; how many frames that completes.
    pub(crate) fn take(&mut self, bytes: &[u8]) -> usize {
        self.pending.extend_from_slice(bytes);
        let mut frames = 0;
        while let Some(end) = find(&self.pending, END) {
            let rest = self.pending.split_off(end + END.len());
            let frame = std::mem::replace(&mut self.pending, rest);
            self.frame(&frame);
            frames += 1;
        }
        frames
    }

    /// From now on, what the keys change is no jump.
    pub(crate) fn key_pressed(&mut self) {
        self.frames_since_key = 0;
    }

    /// The first words of the list: how it is sorted, or what else is shown.
    pub(crate) fn heading(&self) -> String {
        self.line(HEADER)
    }

    /// What the last line says.
    pub(crate) fn footer(&self) -> String {
        let rows = self.size.1;
        self.line(rows.saturating_sub(2)) + &self.line(rows - 1)
    }

    /// What the selected row begins with, which is its pid where there are pids.
    pub(crate) fn selected(&self) -> Option<&str> {
        self.selected.as_ref().map(|(id, _)| id.as_str())
    }

    /// Lines of the list with something in them.
    pub(crate) fn filled(&self) -> usize {
        let list = HEADER + 1..self.size.1 - 1;
        list.filter(|line| !self.line(*line).is_empty()).count()
    }

    /// All of it.
    pub(crate) fn text(&self) -> String {
        self.parser.screen().contents() + &String::from_utf8_lossy(&self.pending)
    }

    /// What was seen, in this time.
    pub(crate) fn seen(self, time: Duration) -> Seen {
        Seen { time, ..self.seen }
    }

    fn line(&self, line: u16) -> String {
        let columns = self.size.0.min(LIST_COLUMNS);
        let screen = self.parser.screen();
        let mut text = String::new();
        for column in 0..columns {
            let cell = screen.cell(line, column).filter(|cell| !cell.is_wide_continuation());
            text.push_str(cell.map(vt100::Cell::contents).filter(|text| !text.is_empty()).unwrap_or(" "));
        }
        text.trim_end().to_owned()
    }

    fn blank_lines(&self) -> Vec<bool> {
        self.parser.screen().rows(0, self.size.0).map(|row| row.trim().is_empty()).collect()
    }

    fn frame(&mut self, output: &[u8]) {
        let begin = find(output, BEGIN).unwrap_or(output.len());
        // What comes before the first belongs to the start.
        let is_first = self.seen.frames.is_empty();
        let frame = &output[begin..];
        self.seen.frames.push(frame.len());
        self.seen.outside += if is_first { 0 } else { begin };
        self.seen.clears += usize::from(!is_first && CLEARS.iter().any(|clear| find(frame, clear).is_some()));
        let before = self.blank_lines();
        let mut within = vec![false; before.len()];
        let mut done = 0;
        for cut in 1..CUTS {
            let middle = output.len() * cut / CUTS;
            let escape = output[middle..].iter().position(|byte| *byte == 0x1b).map_or(output.len(), |at| middle + at);
            self.parser.process(&output[done.min(escape)..escape]);
            done = done.max(escape);
            within.iter_mut().zip(self.blank_lines()).for_each(|(any, blank)| *any |= blank);
        }
        self.parser.process(&output[done..]);
        let after = self.blank_lines();
        let flashed = (0..after.len()).filter(|line| within[*line] && !before[*line] && !after[*line]);
        self.seen.blank += if is_first { 0 } else { flashed.count() };
        self.seen.cursor += usize::from(!self.parser.screen().hide_cursor());
        self.find_selected();
    }

    fn find_selected(&mut self) {
        let list = HEADER + 1..self.size.1 - 1;
        let screen = self.parser.screen();
        let line = list.clone().find(|line| screen.cell(*line, 2).is_some_and(vt100::Cell::inverse));
        let now = line.map(|line| (self.first_word(line), line));
        let before = std::mem::replace(&mut self.selected, now);
        self.frames_since_key += 1;
        // The frame that answers the key may come second.
        if self.frames_since_key <= 2 || !self.heading().trim_start().starts_with("PID") {
            return;
        }
        let (Some((was, from)), Some((is, to))) = (before, &self.selected) else { return };
        // Rows that vanish from above it draw a row up when there is nothing further above that could come down.
        let at_top = *to < from && self.first_word(HEADER + 1) == "1";
        if was == *is && from != *to && !at_top {
            self.seen.jumps.push(format!("{was} from line {from} to {to}"));
        } else if was != *is && list.into_iter().any(|line| self.first_word(line) == was) {
            self.seen.jumps.push(format!("the selection from {was} to {is}"));
        }
    }

    fn first_word(&self, line: u16) -> String {
        self.line(line).split_whitespace().next().unwrap_or_default().to_owned()
    }
}

impl Seen {
    /// What should not be.
    pub(crate) fn faults(&self) -> Vec<String> {
        let counted = [
            (self.outside, "bytes are written outside of frames"),
            (self.clears, "frames clear a part of the screen"),
            (self.blank, "lines are blank for a moment"),
            (self.cursor, "frames show the cursor"),
        ];
        let counted = counted.into_iter().filter(|(count, _)| *count > 0);
        let mut faults: Vec<_> = counted.map(|(count, what)| format!("{count} {what}")).collect();
        if let Some(first) = self.jumps.first() {
            faults.push(format!("{} jumps, the first: {first}", self.jumps.len()));
        }
        faults
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut sizes = self.frames.clone();
        sizes.sort_unstable();
        let at = |percent: usize| sizes.get((sizes.len() * percent / 100).min(sizes.len().saturating_sub(1)));
        let [middle, most, longest] = [50, 99, 100].map(|percent| at(percent).copied().unwrap_or_default());
        let seconds = self.time.as_secs_f64().max(1e-3);
        #[expect(clippy::cast_precision_loss, reason = "to be read by people")]
        let (per_s, bytes) = (sizes.len() as f64 / seconds, sizes.iter().sum::<usize>() as f64 / seconds);
        write!(
            f,
            "  {} frames, {per_s:.1} and {bytes:.0} bytes a second; bytes of one: p50 {middle}, p99 {most}, longest {longest}; \
             flashes {}, jumps {}",
            sizes.len(),
            self.blank + self.clears + self.cursor,
            self.jumps.len()
        )
    }
}

fn lines(count: u16) -> NonZeroU16 {
    NonZeroU16::new(count).unwrap_or(NonZeroU16::MIN)
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}
