//! The top of the screen: the machine, counts, rates, losses and modes; and the line of an active alert.

use ptree_core::text;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::cells::{cut, left, spread};
use super::theme::Theme;
use crate::app::{App, Capture};
use crate::label::{count, percent, rate};

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
    let stats = app.stats();
    let host = text::escape(header.host.as_bytes()).into_owned();
    let mut start = vec![Span::styled(cut(&host, 24), theme.strong)];
    match (app.paused(), app.capture()) {
        (Some(since), _) => start.push(notice(format!(" PAUSED, {} events since ", count(since)), theme.notice)),
        (None, Capture::Waiting) => start.push(notice(" waiting for events ".to_owned(), theme.notice)),
        (None, Capture::Ended(Ok(()))) => start.push(notice(" CAPTURE ENDED ".to_owned(), theme.notice)),
        (None, Capture::Ended(Err(_))) => start.push(notice(" CAPTURE FAILED ".to_owned(), theme.alert)),
        (None, Capture::Running) => {}
    }
    let end = vec![
        Span::styled(count(stats.live), theme.strong),
        Span::raw(" live  "),
        Span::styled(count(stats.dead), theme.strong),
        Span::raw(" dead  "),
        Span::styled(format!("self {}", percent(app.own_cpu())), theme.dim),
    ];
    let kernel = text::escape(header.kernel.as_bytes()).into_owned();
    let uptime = text::duration(app.now_ns());
    let used = Line::from(start.clone()).width() + Line::from(end.clone()).width() + 2;
    let about = [format!("  Linux {kernel}  up {uptime}"), format!("  Linux {kernel}")];
    if let Some(fitting) = about.into_iter().find(|about| used + about.chars().count() <= usize::from(area.width)) {
        start.insert(1, Span::styled(fitting, theme.dim));
    }
    spread(start, end, area, buffer);
}

fn notice(text: String, style: Style) -> Span<'static> {
    Span::styled(text, style)
}

fn activity(app: &App, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let stats = app.stats();
    let mut start = Vec::new();
    for (name, per_s) in [("fork", stats.forks_per_s), ("exec", stats.execs_per_s), ("exit", stats.exits_per_s)] {
        start.push(Span::raw(format!("{name} ")));
        start.push(Span::styled(left(&format!("{}/s", rate(per_s)), 8), theme.strong));
    }
    let lost = stats.lost.total();
    let lost_style = if lost > 0 { theme.alert } else { theme.dim };
    let mut end = vec![
        Span::styled(format!("{} events  ", count(app.events())), theme.dim),
        Span::styled(format!("{} lost", count(lost)), lost_style),
    ];
    if stats.inferred > 0 {
        end.insert(1, Span::styled(format!("{} inferred  ", count(stats.inferred)), theme.dim));
    }
    let used = Line::from(start.clone()).width() + Line::from(end.clone()).width() + 2;
    let room = usize::from(area.width).saturating_sub(used).min(60);
    if room >= 8 {
        start.push(Span::styled(sparkline(&stats.fork_history, room), theme.accent));
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
    let culprit = match alert.culprit {
        Some(key) => {
            let name = text::escape(alert.culprit_comm.as_bytes());
            format!(": {name} [{}] makes {:.0}%  (a goes there)", key.pid, alert.share * 100.0)
        }
        None => String::new(),
    };
    let now = rate(app.stats().forks_per_s);
    let limit = rate(app.alert_limit());
    let text = format!(" spawn rate {now}/s, peak {}/s (limit {limit}){culprit}", rate(alert.peak));
    buffer.set_style(area, theme.alert);
    let text = cut(&text, usize::from(area.width));
    spread(vec![Span::styled(text, theme.alert)], Vec::new(), area, buffer);
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
