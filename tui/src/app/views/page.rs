//! A page of figures: lines with a value in each column, sortable by any, with a selection that belongs to a line, not to
//! a place.
//!
//! Does not know what the figures are nor how they look.

use std::cmp::Ordering;

use ptree_core::{Comm, ProcKey};

use crate::app::cursor::Cursor;

/// What a line stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PageKey {
    /// A process that forks.
    Launcher(ProcKey),
    /// All of those with one name.
    Name(Comm),
    /// Those of whom only the sums are kept; the last line, however it is sorted.
    Rest,
    /// A user.
    User(u32),
    /// An alert, by its id.
    Alert(u64),
}

/// What stands in a cell.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Words, harmless to print.
    Text(String),
    /// A number that names something.
    Id(u32),
    /// How many.
    Count(u64),
    /// How many a second.
    Rate(f64),
    /// How long, nanoseconds.
    Span(u64),
    /// When, boot-time nanoseconds.
    Moment(u64),
    /// What part of a whole, 0 to 1.
    Share(f64),
    /// Nothing to tell.
    None,
}

impl Value {
    /// The greater, the more; nothing is less than anything.
    fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            (Self::Id(a), Self::Id(b)) => a.cmp(b),
            (Self::Count(a), Self::Count(b)) | (Self::Span(a), Self::Span(b)) | (Self::Moment(a), Self::Moment(b)) => {
                a.cmp(b)
            }
            (Self::Rate(a), Self::Rate(b)) | (Self::Share(a), Self::Share(b)) => a.total_cmp(b),
            (Self::None, Self::None) => Ordering::Equal,
            (Self::None, _) => Ordering::Less,
            _ => Ordering::Greater,
        }
    }

    /// Whether one looks for the most of it first.
    const fn is_amount(&self) -> bool {
        !matches!(self, Self::Text(_) | Self::Id(_))
    }
}

/// A column: its heading and width. The last one takes what is left.
#[derive(Clone, Copy, Debug)]
pub struct PageColumn {
    /// The heading.
    pub heading: &'static str,
    /// Columns of the screen.
    pub width: u16,
}

/// One line.
#[derive(Clone, Debug, PartialEq)]
pub struct PageLine {
    /// What it stands for.
    pub key: PageKey,
    /// One for each column.
    pub values: Vec<Value>,
    /// It matters less: what it stands for is over.
    pub faint: bool,
}

/// By which column, counted from the left, and whether the other way round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageSort {
    /// The column. Amounts begin with the most, names with the least.
    pub column: usize,
    /// The other way round.
    pub reversed: bool,
}

/// See the module.
#[derive(Debug)]
pub struct Page {
    columns: &'static [PageColumn],
    lines: Vec<PageLine>,
    sort: PageSort,
    /// The sort is new, and to be carried out even while lines stand still.
    resort: bool,
    stale: bool,
    built_ns: u64,
    selected: Option<PageKey>,
    /// The user has moved: from then on the selection sticks to its line.
    touched: bool,
    cursor: Cursor,
}

impl Page {
    pub(super) fn new(columns: &'static [PageColumn], column: usize) -> Self {
        Self {
            columns,
            lines: Vec::new(),
            sort: PageSort { column, reversed: false },
            resort: false,
            stale: true,
            built_ns: 0,
            selected: None,
            touched: false,
            cursor: Cursor::default(),
        }
    }

    /// The columns, left to right.
    #[must_use]
    pub const fn columns(&self) -> &'static [PageColumn] {
        self.columns
    }

    /// The lines, top first.
    #[must_use]
    pub fn lines(&self) -> &[PageLine] {
        &self.lines
    }

    /// How they are sorted.
    #[must_use]
    pub const fn sort(&self) -> PageSort {
        self.sort
    }

    /// Whether the most comes first.
    #[must_use]
    pub fn descends(&self) -> bool {
        let value = |line: &PageLine| line.values.get(self.sort.column).is_none_or(Value::is_amount);
        self.lines.iter().all(value) != self.sort.reversed
    }

    /// Index of the line at the top of the window.
    #[must_use]
    pub const fn offset(&self) -> usize {
        self.cursor.offset()
    }

    /// Index of the selected line.
    #[must_use]
    pub const fn index(&self) -> usize {
        self.cursor.index()
    }

    /// What the selected line stands for.
    #[must_use]
    pub fn selected(&self) -> Option<PageKey> {
        self.lines.get(self.index()).map(|line| line.key)
    }

    pub(super) const fn is_stale(&self) -> bool {
        self.stale
    }

    pub(super) const fn built_ns(&self) -> u64 {
        self.built_ns
    }

    /// Asks for lines as they are now.
    pub(super) const fn invalidate(&mut self) {
        self.stale = true;
    }

    /// Other lines will come, of another kind.
    pub(super) fn begin_anew(&mut self) {
        let mut cursor = Cursor::default();
        cursor.resize(self.height(), 0);
        *self = Self { sort: self.sort, cursor, ..Self::new(self.columns, self.sort.column) };
    }

    /// Sorts by the next column.
    pub(in crate::app) const fn sort_next(&mut self) {
        self.sort = PageSort { column: (self.sort.column + 1) % self.columns.len(), reversed: false };
        (self.resort, self.stale) = (true, true);
    }

    /// Sorts the other way round.
    pub(in crate::app) const fn reverse(&mut self) {
        self.sort.reversed = !self.sort.reversed;
        (self.resort, self.stale) = (true, true);
    }

    /// Takes the lines as they are now. While they are `held`, each stays where it is, and new ones come last.
    pub(super) fn take(&mut self, mut lines: Vec<PageLine>, held: bool, now_ns: u64) {
        let selected = self.selected.filter(|_| self.touched);
        lines.sort_by(|a, b| self.compare(a, b));
        if held && !self.resort {
            let places: std::collections::BTreeMap<_, _> =
                self.lines.iter().enumerate().map(|(place, line)| (line.key, place)).collect();
            lines.sort_by_key(|line| places.get(&line.key).copied().unwrap_or(usize::MAX));
        }
        self.lines = lines;
        (self.resort, self.stale, self.built_ns) = (false, false, now_ns);
        let index = match selected {
            Some(key) => self.lines.iter().position(|line| line.key == key).unwrap_or(self.index()),
            None => 0,
        };
        self.cursor.follow(index, self.lines.len());
        self.selected = self.selected();
    }

    fn compare(&self, a: &PageLine, b: &PageLine) -> Ordering {
        let rest = (a.key == PageKey::Rest).cmp(&(b.key == PageKey::Rest));
        let column = self.sort.column;
        let chosen = a.values.get(column).zip(b.values.get(column)).map_or(Ordering::Equal, |(a, b)| {
            let most_first = a.is_amount() && b.is_amount();
            let order = if most_first { b.compare(a) } else { a.compare(b) };
            if self.sort.reversed { order.reverse() } else { order }
        });
        // Those alike by all other figures.
        let amounts = a.values.iter().zip(&b.values).filter(|(a, b)| a.is_amount() && b.is_amount());
        let others = amounts.map(|(a, b)| b.compare(a)).find(|order| order.is_ne()).unwrap_or(Ordering::Equal);
        rest.then(chosen).then(others).then(a.key.cmp(&b.key))
    }

    /// Sets the number of lines that fit.
    pub(super) fn resize(&mut self, height: usize) {
        self.cursor.resize(height, self.lines.len());
        self.selected = self.selected();
    }

    /// Moves the selection by lines, and the window with it if asked to.
    pub(in crate::app) fn step(&mut self, lines: isize, window: bool) {
        self.touched = true;
        self.cursor.step(lines, window, self.lines.len());
        self.selected = self.selected();
    }

    /// Lines that fit.
    pub(in crate::app) const fn height(&self) -> usize {
        self.cursor.height()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: &[PageColumn] = &[PageColumn { heading: "N", width: 4 }, PageColumn { heading: "NAME", width: 0 }];

    fn line(uid: u32, count: u64) -> PageLine {
        let values = vec![Value::Count(count), Value::Text(format!("u{uid}"))];
        PageLine { key: PageKey::User(uid), values, faint: false }
    }

    fn rest() -> PageLine {
        PageLine { key: PageKey::Rest, values: vec![Value::Count(999), Value::Text("a".to_owned())], faint: true }
    }

    fn order(page: &Page) -> Vec<u32> {
        let uid = |line: &PageLine| if let PageKey::User(uid) = line.key { uid } else { 0 };
        page.lines().iter().map(uid).collect()
    }

    #[test]
    fn amounts_begin_with_the_most_names_with_the_least_and_the_rest_is_last() {
        let mut page = Page::new(COLUMNS, 0);
        page.resize(10);
        let lines = || vec![rest(), line(1, 5), line(2, 9), line(3, 7)];
        page.take(lines(), false, 1);
        assert_eq!(order(&page), [2, 3, 1, 0]);
        assert!(page.descends());
        page.reverse();
        page.take(lines(), true, 2);
        assert!(!page.descends());
        assert_eq!(order(&page), [1, 3, 2, 0], "a new sort is carried out though the lines are held");
        page.sort_next();
        page.take(lines(), true, 3);
        assert_eq!(order(&page), [1, 2, 3, 0]);
        assert!(!page.descends(), "names begin with the least");
    }

    #[test]
    fn the_selection_belongs_to_its_line_and_held_lines_stay_where_they_are() {
        let mut page = Page::new(COLUMNS, 0);
        page.resize(2);
        page.take(vec![line(1, 9), line(2, 5), line(3, 1)], false, 1);
        page.step(1, false);
        assert_eq!(page.selected(), Some(PageKey::User(2)));
        page.take(vec![line(1, 9), line(2, 50), line(3, 100), line(4, 80)], true, 2);
        assert_eq!((order(&page), page.index()), (vec![1, 2, 3, 4], 1));
        page.take(vec![line(1, 9), line(2, 50), line(3, 100), line(4, 80)], false, 3);
        assert_eq!((order(&page), page.index()), (vec![3, 4, 2, 1], 2));
        assert_eq!(page.selected(), Some(PageKey::User(2)));
        page.take(vec![line(1, 9), line(3, 100)], false, 4);
        assert_eq!((order(&page), page.index(), page.offset()), (vec![3, 1], 1, 0), "what stands in its place");
        page.take(Vec::new(), false, 5);
        assert_eq!((page.selected(), page.index()), (None, 0));
    }
}
