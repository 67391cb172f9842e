//! Draws an [`App`]; changes nothing (I13).
//!
//! Everything that other processes or users wrote is escaped before it comes here, or by the calls here that name it.

mod acts;
pub(crate) mod ascii;
mod breadcrumb;
mod cells;
pub(crate) mod chooser;
mod details;
mod filter_line;
pub(crate) mod footer;
mod header;
pub mod help;
pub mod layout;
pub(crate) mod page;
mod panels;
pub(crate) mod table;
pub mod theme;
mod timeline;

use ratatui::Frame;

use self::layout::Areas;
use self::theme::Theme;
use crate::action::Mode;
use crate::app::{App, View};

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
        (Mode::Columns | Mode::Sorts, _) => chooser::draw(app, theme, areas.page(), buffer),
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
