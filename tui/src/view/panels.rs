//! Users and alerts, beside the tree or below it, and on request figures on this program itself.

use ptree_core::{Alert, Cause, Spawn, text};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::cells::{cut, left, right};
use crate::app::App;
use crate::label::{count, rate};
use crate::screen::theme::Theme;

/// Columns of the table of users, with the space before it.
const USERS_WIDTH: u16 = 51;
/// Lines that figures leave for users and alerts.
const OTHERS_MIN: u16 = 3;
/// Lines of figures.
const FIGURES: u16 = 7;

/// Both panels: one above the other where there is height, else side by side where there is width.
pub(super) fn draw(app: &App, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    if area.is_empty() {
        return;
    }
    let mut area = area;
    let others = app.shape().has_panels(buffer.area.width);
    if app.figures() {
        let kept = if others { OTHERS_MIN } else { 0 };
        let figures = area.height.saturating_sub(kept).min(FIGURES + 1);
        draw_figures(app, theme, Rect { height: figures, ..area }, buffer);
        area = Rect { y: area.y + figures, height: area.height - figures, ..area };
    }
    if !others {
        return;
    }
    let users = u16::try_from(app.shown_stats().users.len()).unwrap_or(u16::MAX);
    if area.height >= 12 {
        let above = users.saturating_add(2).min(area.height / 2);
        draw_users(app, theme, Rect { height: above, ..area }, buffer);
        let below = Rect { y: area.y + above, height: area.height - above, ..area };
        draw_alerts(app, theme, below, buffer);
    } else {
        let width = USERS_WIDTH.min(area.width);
        draw_users(app, theme, Rect { width, ..area }, buffer);
        draw_alerts(app, theme, Rect { x: area.x + width, width: area.width - width, ..area }, buffer);
    }
}

/// What is kept and what that costs.
fn draw_figures(app: &App, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let (stats, config, own) = (app.stats(), app.config(), app.own());
    let (dead, pinned) = app.kept();
    let each = stats.kept_bytes.saturating_sub(stats.dead_bytes).checked_div(dead).unwrap_or(0);
    let rows = app.list().rows();
    let rss = own.rss_bytes.map_or_else(|| "?".to_owned(), text::bytes);
    let ms = |took: std::time::Duration| text::duration(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX));
    let lines: [String; FIGURES as usize] = [
        format!(
            " dead kept    {} of {} at most, {pinned} of {} more for the living",
            dead.saturating_sub(pinned as u64),
            config.keep_max,
            config.pinned_max
        ),
        format!(" their memory {}, {each} bytes each beside texts", text::bytes(stats.kept_bytes)),
        format!(" their texts  {} of {} at most", text::bytes(stats.dead_bytes), text::bytes(config.keep_bytes)),
        format!(
            " rows         {} in sight, {} in all, {}",
            rows.len(),
            rows.wanted(),
            text::bytes(rows.bytes() as u64)
        ),
        format!(" events       {} seen, {} lost", app.events(), stats.lost.total()),
        format!(" slowest frame {} lately, {} ever", ms(own.frame), ms(own.longest_frame)),
        format!(" resident     {rss}, {} of a CPU", crate::label::percent(own.cpu)),
    ];
    let mut rows = area.rows();
    let Some(first) = rows.next() else { return };
    write(" PTREE-TUI ITSELF", theme.heading, first, buffer);
    for (line, row) in lines.iter().zip(rows) {
        write(line, theme.plain, row, buffer);
    }
}

fn draw_users(app: &App, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let mut rows = area.rows();
    let Some(first) = rows.next() else { return };
    let heading = user_line(["USER", "LIVE", "SPAWNED", "EXITED", "FAILED", "/S", "CPU"].map(str::to_owned));
    write(&heading, theme.heading, first, buffer);
    // Those who started most come first: unlike a rate, that order is calm.
    let mut users: Vec<_> = app.shown_stats().users.iter().collect();
    users.sort_by_key(|(uid, user)| (std::cmp::Reverse(user.spawned), **uid));
    for ((uid, user), row) in users.into_iter().zip(rows) {
        let cells = [
            app.users().shown(*uid).into_owned(),
            count(user.live),
            count(user.spawned),
            count(user.exited),
            count(user.failed),
            rate(user.spawns_per_s),
            text::duration(user.dead_cpu_ns),
        ];
        let line = user_line(cells);
        write(&line, if user.live == 0 { theme.dim } else { theme.plain }, row, buffer);
    }
}

fn user_line(cells: [String; 7]) -> String {
    let [user, live, spawned, exited, failed, per_s, cpu] = cells;
    format!(
        " {} {} {} {} {} {} {}",
        left(&user, 8),
        right(&live, 5),
        right(&spawned, 7),
        right(&exited, 6),
        right(&failed, 6),
        right(&per_s, 5),
        right(&cpu, 7),
    )
}

fn draw_alerts(app: &App, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let mut rows = area.rows();
    let Some(first) = rows.next() else { return };
    write(" ALERTS", theme.heading, first, buffer);
    if app.alerts().is_empty() {
        if let Some(row) = rows.next() {
            let limit = rate(app.alert_limit(Spawn::Processes));
            write(&format!(" none (limit {limit} forks/s)"), theme.dim, row, buffer);
        }
        return;
    }
    for alert in app.alerts().iter().rev() {
        let active = alert.cleared_ns.is_none();
        let [head, culprit] = alert_lines(app, alert);
        for (text, style) in [(head, if active { theme.bad } else { theme.plain }), (culprit, theme.dim)] {
            let Some(row) = rows.next() else { return };
            write(&text, style, row, buffer);
        }
    }
}

fn alert_lines(app: &App, alert: &Alert) -> [String; 2] {
    let when = app.wall().short(alert.raised_ns, app.now_ns());
    let lasted = text::duration(alert.lasted_ns(app.now_ns()));
    let lasts = if alert.cleared_ns.is_some() { "lasted" } else { "lasting" };
    let culprit = alert.culprit_shown();
    let (what, whom) = match &alert.cause {
        Cause::SpawnRate { peak, share, .. } => {
            let whom = culprit.map(|name| format!("{name} {:.0}%", share * 100.0));
            (format!("{}/s", rate(*peak)), whom.unwrap_or_else(|| "no subtree stands out".to_owned()))
        }
        Cause::Match { rule, count } => {
            (format!("{} ×{count}", text::readable(rule.as_bytes())), culprit.unwrap_or_default())
        }
    };
    [format!(" {when} {what} {lasts} {lasted}"), format!("   {whom}")]
}

fn write(text: &str, style: Style, row: Rect, buffer: &mut Buffer) {
    let line = Line::from(Span::styled(cut(text, usize::from(row.width)), style));
    buffer.set_line(row.x, row.y, &line, row.width);
}
