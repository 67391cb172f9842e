//! The top of the screen: the machine, counts, rates, losses and modes; and the line of an active alert.

use ptree_core::{Cause, Spawn, text};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::cells::{cut, left, spread};
use crate::action::{Command, Mode};
use crate::app::{App, Capture};
use crate::clock::Played;
use crate::label::{count, degraded, percent, rate};
use crate::measure::width as columns;
use crate::screen::theme::Theme;

/// With fewer columns, notices are brief.
const BRIEF: u16 = 60;

/// The lines above the tree.
pub(super) fn draw(app: &App, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let mut rows = area.rows();
    if let Some(row) = rows.next() {
        machine(app, theme, row, buffer);
    }
    if let Some(row) = rows.next() {
        activity(app, theme, row, buffer);
    }
}

fn machine(app: &App, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let header = app.header();
    let stats = app.shown_stats();
    let host = text::escape(header.host.as_bytes()).into_owned();
    let mut start = Vec::new();
    if let Some(lost) = losses(app) {
        start.extend([Span::styled(lost, theme.alert), Span::raw(" ")]);
    }
    let host = Span::styled(cut(&host, 24), theme.strong);
    let mut notices = Vec::new();
    let ended = app.ended_ns().map_or_else(String::new, |at| app.wall().short(at, app.now_ns()));
    match app.capture() {
        Capture::Waiting => notices.push(Span::styled(" waiting for events ", theme.notice)),
        Capture::Ended(Ok(())) => notices.push(Span::styled(format!(" CAPTURE ENDED {ended} "), theme.notice)),
        Capture::Ended(Err(_)) => notices.push(Span::styled(format!(" CAPTURE FAILED {ended} "), theme.alert)),
        Capture::Running => {}
    }
    if let Some(note) = degraded(&header.degraded) {
        notices.push(Span::styled(format!(" {} ", cut(&note, 40)), theme.notice));
    }
    let Played { holds, unreadable, skipped_ns } = app.played();
    if unreadable > 0 {
        notices.push(Span::styled(format!(" {} unreadable lines ", count(unreadable)), theme.alert));
    }
    if skipped_ns > 0 {
        notices.push(Span::styled(format!(" skipped {} ", seconds(skipped_ns)), theme.notice));
    }
    if holds && app.paused().is_some() {
        notices.push(Span::styled(" PLAYBACK PAUSED ", theme.notice));
    } else if let Some((ns, events)) = app.paused() {
        let events = if area.width < BRIEF { String::new() } else { format!(", {} events since", count(events)) };
        notices.push(Span::styled(format!(" PAUSED {} ago{events} ", seconds(ns)), theme.notice));
    }
    let mut end = vec![Span::styled(count(stats.live), theme.strong), Span::raw(" live  ")];
    match stats.cut_short_ns {
        // A limit makes them leave before their time.
        Some(kept_ns) => {
            let dead = format!(" {} dead, kept {} ", count(stats.dead), seconds(kept_ns));
            end.extend([Span::styled(dead, theme.notice), Span::raw(" ")]);
        }
        None => end.extend([Span::styled(count(stats.dead), theme.strong), Span::raw(" dead  ")]),
    }
    end.push(Span::styled(format!("self {}", percent(app.own().cpu)), theme.dim));
    let kernel = text::escape(header.kernel.as_bytes()).into_owned();
    let uptime = text::duration(app.shown_ns());
    let used: usize = start.iter().chain([&host]).chain(&notices).chain(&end).map(Span::width).sum();
    let about = [format!("  Linux {kernel}  up {uptime}"), format!("  Linux {kernel}")];
    let about = about.into_iter().find(|about| used + 2 + columns(about) <= usize::from(area.width));
    start.push(host);
    start.extend(about.map(|about| Span::styled(about, theme.dim)));
    start.extend(notices);
    spread(start, end, area, buffer);
}

/// A duration in whole seconds, so that it changes no more often.
fn seconds(ns: u64) -> String {
    const MINUTE_NS: u64 = 60_000_000_000;
    if ns < MINUTE_NS { format!("{}s", ns / 1_000_000_000) } else { text::duration(ns) }
}

/// ` 7 lost `, if anything is.
fn losses(app: &App) -> Option<String> {
    let lost = app.stats().lost.total();
    (lost > 0).then(|| format!(" {} lost ", count(lost)))
}

/// Tells of losses at the beginning of a line where there is no header.
pub(super) fn draw_losses(app: &App, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let Some(lost) = losses(app).filter(|_| !area.is_empty()) else { return };
    // On a screen of few columns, the number at least.
    buffer.set_stringn(area.x, area.y, lost.trim_start(), usize::from(area.width), theme.alert);
}

/// The columns that this takes, where there is room.
pub(super) fn losses_width(app: &App) -> u16 {
    losses(app).map_or(0, |lost| u16::try_from(lost.trim_start().len()).unwrap_or(u16::MAX))
}

fn activity(app: &App, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    // What is counted goes on in a pause, what is looked at stands still.
    let (stats, shown) = (app.stats(), app.shown_stats());
    let mut start = Vec::new();
    for (name, per_s) in [("fork", shown.forks_per_s), ("exec", shown.execs_per_s), ("exit", shown.exits_per_s)] {
        start.push(Span::raw(format!("{name} ")));
        start.push(Span::styled(left(&format!("{}/s", rate(per_s)), 8), theme.strong));
    }
    // Only while there are some: they take the place of bars.
    if shown.threads_per_s > 0.0 && area.width >= 100 {
        start.push(Span::raw("thread "));
        start.push(Span::styled(left(&format!("{}/s", rate(shown.threads_per_s)), 8), theme.strong));
    }
    let mut words = vec![format!("{} events", count(app.events()))];
    if stats.inferred > 0 {
        words.push(format!("{} inferred", count(stats.inferred)));
    }
    if stats.lost.total() == 0 {
        words.push("0 lost".to_owned());
    }
    let end = vec![Span::styled(words.join("  "), theme.dim)];
    let used = Line::from(start.clone()).width() + Line::from(end.clone()).width() + 2;
    let room = usize::from(area.width).saturating_sub(used).min(60);
    if room >= 8 {
        start.push(Span::styled(sparkline(&shown.fork_history, room), theme.accent));
    }
    spread(start, end, area, buffer);
}

/// The latest counts as bars, newest at the right, scaled to the greatest of them.
fn sparkline(history: &[u32], width: usize) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let shown = &history[history.len().saturating_sub(width)..];
    let top = shown.iter().copied().max().unwrap_or(0).max(8) as usize;
    shown.iter().map(|&n| BARS[(n as usize * (BARS.len() - 1)).div_ceil(top)]).collect()
}

/// The active alert, and how to get to whom it names.
pub(super) fn draw_alert(app: &App, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let Some(alert) = app.active_alert().filter(|_| !area.is_empty()) else { return };
    let width = usize::from(area.width);
    let way = app.key(Mode::Tree, Command::Culprit).filter(|_| alert.culprit.is_some());
    let way = way.map_or_else(String::new, |key| format!("({key} goes there) "));
    // On a screen so narrow, half of it for a hint would take too much from what is told.
    let way = if columns(&way) * 2 <= width { way } else { String::new() };
    let room = width.saturating_sub(columns(&way) + usize::from(!way.is_empty()));
    let what = match &alert.cause {
        Cause::SpawnRate { of, peak, share, .. } => {
            let per_s = match of {
                Spawn::Processes => app.stats().forks_per_s,
                Spawn::Threads => app.stats().threads_per_s,
            };
            let (name, limit) = (of.rate(), app.alert_limit(*of));
            // It lasts a little longer than what raised it.
            let is_past = per_s < limit;
            let [now, peak, limit] = [per_s, *peak, limit].map(rate);
            let (brief, more) = if is_past {
                (format!("{name} was up to {peak}/s"), format!(" (limit {limit}), now {now}/s"))
            } else {
                (format!("{name} {now}/s"), format!(", peak {peak}/s (limit {limit})"))
            };
            let made = if is_past { "made" } else { "makes" };
            let culprit = alert.culprit_shown();
            let culprit = culprit.map_or_else(String::new, |name| format!(": {name} {made} {:.0}%", share * 100.0));
            // Who it is says more than the other figures.
            let full = format!("{brief}{more}{culprit}");
            if columns(&full) < room { full } else { brief + &culprit }
        }
        Cause::Match { .. } => alert.to_string(),
    };
    buffer.set_style(area, theme.alert);
    let text = cut(&format!(" {what}"), room);
    spread(vec![Span::styled(text, theme.alert)], vec![Span::styled(way, theme.alert)], area, buffer);
}

#[cfg(test)]
mod tests {
    use super::sparkline;

    #[test]
    fn the_sparkline_shows_the_latest_and_never_hides_a_single_fork() {
        assert_eq!(sparkline(&[0, 1, 8], 8), "▁▂█");
        assert_eq!(sparkline(&[9, 9, 0, 1000], 2), "▁█");
        assert_eq!(sparkline(&[1, 1000], 2), "▂█");
        assert_eq!(sparkline(&[], 5), "");
    }
}
