//! Where things are on a screen of a given size: the app needs it to scroll, the drawing to draw.

use ratatui::layout::{Position, Rect};

/// From this width on, the panels stand beside the tree.
const SIDE_FROM: u16 = 140;
const SIDE_WIDTH: u16 = 60;
/// Lines of a page of figures above those of what it lists.
pub const PAGE_HEAD: u16 = 2;
/// From this height on, rows of the tree stay in sight above a list to choose from.
const ROWS_FROM: u16 = 14;
/// Columns of the mark at the left of its lines.
const MARK: u16 = 4;

/// What decides the layout beside the size.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// There is an active alert.
    pub alert: bool,
    /// Users and alerts are wanted; `None` where there is room beside the tree.
    pub panels: Option<bool>,
    /// Figures on this program are wanted.
    pub figures: bool,
    /// A filter is typed.
    pub typing: bool,
}

impl Shape {
    /// Whether users and alerts are wanted on a screen of this width.
    #[must_use]
    pub fn has_panels(self, width: u16) -> bool {
        self.panels.unwrap_or(width >= SIDE_FROM)
    }
}

/// The parts of the screen; what does not fit is empty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Areas {
    /// Machine, counts and rates.
    pub header: Rect,
    /// The active alert.
    pub alert: Rect,
    /// Heading and rows of the tree, or a page over it.
    pub body: Rect,
    /// Figures, users and alerts, beside the tree or below.
    pub panels: Rect,
    /// Hints and messages; where a filter is typed, the line for that above them, if there is room for two.
    pub footer: Rect,
}

impl Areas {
    /// Divides a screen.
    #[must_use]
    pub fn of(screen: Rect, shape: Shape) -> Self {
        let height = screen.height;
        let header = [0, 1, 2][usize::from(height >= 6) + usize::from(height >= 9)];
        let footer = u16::from(height >= 3) + u16::from(shape.typing && height >= 8);
        let alert = u16::from(shape.alert && height >= 5);
        let wide = screen.width >= SIDE_FROM;
        let wanted = [shape.has_panels(screen.width), shape.figures].into_iter().filter(|wanted| *wanted).count();
        let shown = wanted > 0 && height >= 8;
        let side = if shown && wide { SIDE_WIDTH } else { 0 };
        let strip = match wanted {
            _ if !shown || wide => 0,
            1 => (height / 3).clamp(3, 10),
            _ => height / 2,
        };
        // An alert takes its line from what is furthest down, so that no row moves when it comes or goes.
        let strip = if strip > 3 { strip - alert } else { strip };

        let mut top = screen.y;
        let mut take = |rows: u16, x: u16, width: u16| {
            let area = Rect { x, y: top, width, height: rows };
            top += rows;
            area
        };
        let header = take(header, screen.x, screen.width);
        let body_height = height - header.height - alert - footer - strip;
        let body = take(body_height, screen.x, screen.width - side);
        let mut panels = take(strip, screen.x, screen.width);
        let alert = take(alert, screen.x, screen.width);
        if side > 0 {
            panels = Rect { x: screen.x + body.width, y: body.y, width: side, height: body.height };
        }
        let footer = take(footer, screen.x, screen.width);
        Self { header, alert, body, panels, footer }
    }

    /// Where a page is shown instead of the tree: over panels below it, but not over those beside it.
    #[must_use]
    pub fn page(&self) -> Rect {
        if self.panels.x == self.body.x { self.body.union(self.panels) } else { self.body }
    }

    /// Where a page is shown that needs all the room: over the panels wherever they are.
    #[must_use]
    pub fn whole(&self) -> Rect {
        self.body.union(self.panels)
    }

    /// Where a list to choose from is shown: rows of the tree, and the list below them.
    #[must_use]
    pub fn chooser(&self) -> Chooser {
        let area = self.page();
        let above = if area.height < ROWS_FROM { 0 } else { (area.height / 3).min(12) };
        let list = Rect { y: area.y + above, height: area.height - above, ..area };
        Chooser { rows: Rect { height: above, ..area }, list }
    }

    /// Rows of the tree that fit below its heading.
    #[must_use]
    pub fn rows(&self) -> usize {
        usize::from(self.body.height.saturating_sub(1))
    }
}

/// Where a list to choose from is, and what stays in sight above it.
#[derive(Clone, Copy, Debug)]
pub struct Chooser {
    /// The tree, with its heading; empty where there is no room for it.
    pub rows: Rect,
    /// The list, with its title.
    pub list: Rect,
}

impl Chooser {
    /// Rows of the tree that stay in sight below their heading; `None` where none do.
    #[must_use]
    pub fn rows_in_sight(&self) -> Option<u16> {
        self.rows.height.checked_sub(1).filter(|&rows| rows > 0)
    }

    /// Lines of the list that fit below its title.
    #[must_use]
    pub fn lines(&self) -> u16 {
        self.list.height.saturating_sub(1)
    }

    /// The line at a place of the screen, by its number from the first that is seen, and whether that is its mark.
    #[must_use]
    pub fn hit(&self, column: u16, row: u16) -> Option<(usize, bool)> {
        let is_line = self.list.contains(Position::new(column, row)) && row > self.list.y;
        is_line.then(|| (usize::from(row - self.list.y - 1), column < self.list.x + MARK))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alert_moves_neither_rows_nor_panels() {
        for (width, height) in [(80, 24), (200, 50)] {
            for panels in [None, Some(true)] {
                let shape = |alert| Shape { alert, panels, figures: false, typing: false };
                let of = |alert| Areas::of(Rect::new(0, 0, width, height), shape(alert));
                let (without, with) = (of(false), of(true));
                for (with, without) in [(with.body, without.body), (with.panels, without.panels)] {
                    assert!(with.is_empty() || with.y == without.y, "{with:?} {without:?}");
                }
                assert_eq!(with.footer, without.footer);
                assert_eq!(with.alert.height, 1);
            }
        }
    }

    #[test]
    fn every_size_is_divided_without_overlap_or_gap() {
        for (panels, figures) in
            [(None, false), (Some(false), false), (Some(true), false), (None, true), (Some(true), true)]
        {
            for (alert, typing) in [(false, false), (false, true), (true, false), (true, true)] {
                for (width, height) in [(1, 1), (3, 2), (20, 5), (40, 10), (80, 24), (139, 8), (140, 8), (500, 200)] {
                    let screen = Rect::new(0, 0, width, height);
                    let areas = Areas::of(screen, Shape { alert, panels, figures, typing });
                    let cells: u32 = [areas.header, areas.alert, areas.body, areas.panels, areas.footer]
                        .iter()
                        .map(|area| {
                            assert_eq!(area.intersection(screen), *area, "{areas:?} in {screen:?}");
                            area.area()
                        })
                        .sum();
                    assert_eq!(cells, screen.area(), "{areas:?} in {screen:?}");
                }
            }
        }
    }
}
