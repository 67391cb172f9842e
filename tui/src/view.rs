//! Draws an [`App`]; changes nothing (I13).
//!
//! Everything that other processes or users wrote is escaped before it comes here, or by the calls here that name it.

mod acts;
mod breadcrumb;
mod cells;
mod chooser;
mod details;
mod filter_line;
mod footer;
mod header;
mod help;
mod page;
mod panels;
mod table;
mod timeline;

use ratatui::Frame;
use ratatui::layout::Position;

use crate::action::{Hit, Mode};
use crate::app::{App, Measures, View};
use crate::screen::areas::Areas;
use crate::screen::ascii;
use crate::screen::theme::Theme;

/// What only the drawing knows of this screen, for [`App::prepare`].
#[must_use]
pub fn measure(app: &App) -> Measures {
    let is_help = matches!(app.mode(), Mode::Help | Mode::HelpSearch);
    let areas = Areas::of(app.screen(), app.shape());
    Measures { help_end: is_help.then(|| help::scroll_end(app, areas.whole())) }
}

/// What is drawn at this column and row, and can be clicked.
#[must_use]
pub fn hit(app: &App, column: u16, row: u16) -> Option<Hit> {
    let areas = Areas::of(app.screen(), app.shape());
    if let Some(command) = footer::hit(app, &areas, column, row) {
        return Some(Hit::Hint(command));
    }
    match app.mode() {
        Mode::Tree | Mode::Filter if areas.alert.contains(Position::new(column, row)) => Some(Hit::Alert),
        Mode::Tree | Mode::Filter => table::hit(app, areas.body, column, row),
        Mode::Columns | Mode::Sorts => {
            let (line, mark) = areas.chooser().hit(column, row)?;
            let index = app.chooser().offset() + line;
            (index < app.chooser_len()).then_some(Hit::Choice(index, mark))
        }
        Mode::Details
        | Mode::DetailsSearch
        | Mode::Help
        | Mode::HelpSearch
        | Mode::Acts
        | Mode::Confirm
        | Mode::Report
        | Mode::Page => None,
    }
}

/// Draws all of it, at any size.
pub fn draw(app: &App, theme: &Theme, frame: &mut Frame<'_>) {
    let areas = Areas::of(frame.area(), app.shape());
    let buffer = frame.buffer_mut();
    buffer.set_style(buffer.area, theme.plain);
    header::draw(app, theme, areas.header, buffer);
    header::draw_alert(app, theme, areas.alert, buffer);
    let help = matches!(app.mode(), Mode::Help | Mode::HelpSearch);
    if !help && areas.page() == areas.body || matches!(app.mode(), Mode::Tree | Mode::Filter) {
        panels::draw(app, theme, areas.panels, buffer);
    }
    match (app.mode(), app.details()) {
        (Mode::Help | Mode::HelpSearch, _) => help::draw(app, theme, areas.whole(), buffer),
        (Mode::Acts | Mode::Confirm | Mode::Report, _) => acts::draw(app, theme, areas.page(), buffer),
        (Mode::Columns | Mode::Sorts, _) => chooser::draw(app, theme, &areas, buffer),
        (Mode::Details | Mode::DetailsSearch, Some(page)) => details::draw(page, theme, areas.page(), buffer),
        _ => match app.page() {
            Some(page) => page::draw(app, page, theme, areas.page(), buffer),
            None if app.view() == View::Timeline => timeline::draw(app, theme, areas.body, buffer),
            None => table::draw(app, theme, areas.body, buffer),
        },
    }
    if areas.header.is_empty() {
        let last = areas.body.union(areas.footer).rows().next_back().unwrap_or_default();
        header::draw_losses(app, theme, last, buffer);
    }
    footer::draw(app, theme, footer::place_of(app, &areas), buffer);
    if theme.ascii {
        ascii::simplify(buffer);
    }
}
