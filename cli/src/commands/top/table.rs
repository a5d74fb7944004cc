//! A look as a table: what runs longest comes first, and who waits stands under the one it waits for.

use std::collections::BTreeSet;
use std::time::Duration;

use bowline::{Activity, SessionState};

use super::sample::Sample;
use crate::ui::one_line;
use crate::ui::screen::Size;

/// One line of the table.
struct Line<'s> {
    session: &'s Activity,
    /// How many others it waits behind.
    depth: usize,
}

/// The whole text, no wider and no longer than the screen, if there is one.
pub(super) fn table(sample: &Sample, idle: bool, size: Option<Size>) -> String {
    let (width, height) = size.unwrap_or((usize::MAX, usize::MAX));
    let lines = order(sample, idle);
    let rows: Vec<_> = lines.iter().map(cells).collect();
    let mut widths = HEADINGS.map(|heading| heading.chars().count());
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut out = String::new();
    for line in head(sample) {
        out.push_str(&format!("{}\n", cut(&line, width)));
    }
    let headings = lay_out(&HEADINGS.map(str::to_owned), "QUERY", &widths, width);
    out.push_str(&format!("\n\x1b[1m{headings}\x1b[0m\n"));
    // The head takes four lines.
    let room = height.saturating_sub(4);
    let shown = if rows.len() > room {
        room.saturating_sub(1)
    } else {
        rows.len()
    };
    for (line, row) in lines.iter().zip(&rows).take(shown) {
        let query = one_line(line.session.query.as_deref().unwrap_or_default());
        let text = lay_out(row, &query, &widths, width);
        let (on, off) = colour(line.session);
        out.push_str(&format!("{on}{text}{off}\n"));
    }
    if shown < rows.len() {
        out.push_str(&format!(".. and {} more\n", rows.len() - shown));
    }
    out
}

const HEADINGS: [&str; 6] = ["PID", "USER", "APPLICATION", "STATE", "TIME", "WAITS FOR"];

/// The place of the time, which is a number and so stands to the right.
const TIME: usize = 4;

fn head(sample: &Sample) -> [String; 2] {
    let totals = &sample.totals;
    let clock = totals
        .observed_at
        .split(['T', 'Z'])
        .nth(1)
        .unwrap_or_default();
    // Who waits for a lock is active to the server.
    let is_blocked =
        |session: &&Activity| session.is_blocked() && session.state == Some(SessionState::Active);
    let blocked = sample.sessions.iter().filter(is_blocked).count();
    let rate = sample
        .transactions_per_second
        .map(|rate| format!(", {rate:.0} transactions/s"))
        .unwrap_or_default();
    let in_transaction = sample.count(SessionState::IdleInTransaction)
        + sample.count(SessionState::IdleInTransactionAborted);
    [
        format!(
            "{}  PostgreSQL {}  {clock} UTC  {} of {} connections",
            one_line(&totals.database),
            totals.server_version,
            totals.connections,
            totals.max_connections
        ),
        format!(
            "{} active, {blocked} blocked, {in_transaction} idle in transaction, {} idle{rate}",
            sample.count(SessionState::Active) - blocked,
            sample.count(SessionState::Idle),
        ),
    ]
}

/// The sessions to show, in order.
fn order(sample: &Sample, idle: bool) -> Vec<Line<'_>> {
    let holders: BTreeSet<i32> = sample
        .sessions
        .iter()
        .flat_map(|session| session.blocked_by.iter().copied())
        .collect();
    let mut shown: Vec<&Activity> = sample
        .sessions
        .iter()
        .filter(|session| {
            idle || session.state != Some(SessionState::Idle) || holders.contains(&session.pid)
        })
        .collect();
    shown.sort_by_key(|session| (std::cmp::Reverse(age(session)), session.pid));
    let mut lines = Vec::with_capacity(shown.len());
    let mut placed = BTreeSet::new();
    for session in &shown {
        if holder(session, &shown).is_none() {
            place(session, 0, &shown, &mut placed, &mut lines);
        }
    }
    // Who waits in a circle, until the server finds the deadlock, stands under nobody.
    for session in &shown {
        place(session, 0, &shown, &mut placed, &mut lines);
    }
    lines
}

/// Puts a session into the list, and those that wait for it below.
fn place<'s>(
    session: &'s Activity,
    depth: usize,
    shown: &[&'s Activity],
    placed: &mut BTreeSet<i32>,
    lines: &mut Vec<Line<'s>>,
) {
    if !placed.insert(session.pid) {
        return;
    }
    lines.push(Line { session, depth });
    for waiter in shown {
        if holder(waiter, shown) == Some(session.pid) {
            place(waiter, depth + 1, shown, placed, lines);
        }
    }
}

/// The session under which one that waits is shown.
fn holder(session: &Activity, shown: &[&Activity]) -> Option<i32> {
    let mut holders = session.blocked_by.iter().copied();
    holders.find(|pid| shown.iter().any(|other| other.pid == *pid))
}

/// How long a statement has run, else how long its transaction has been open.
fn age(session: &Activity) -> Option<Duration> {
    session.query_age().or_else(|| session.transaction_age())
}

fn cells(line: &Line<'_>) -> [String; 6] {
    let session = line.session;
    let branch = if line.depth > 0 {
        format!("{}└ ", "  ".repeat(line.depth - 1))
    } else {
        String::new()
    };
    let state = match session.state {
        Some(SessionState::Active) if session.is_blocked() => "blocked",
        Some(SessionState::Active) => "active",
        Some(SessionState::Idle) => "idle",
        Some(SessionState::IdleInTransaction) => "idle in transaction",
        Some(SessionState::IdleInTransactionAborted) => "idle in failed transaction",
        _ => "unknown",
    };
    // That a session waits for its client is what idle says.
    let wait = match (&session.wait_event_type, &session.wait_event) {
        (Some(kind), Some(event)) if kind != "Client" => format!("{kind} {event}"),
        _ => String::new(),
    };
    [
        format!("{branch}{}", session.pid),
        cut(&one_line(session.user.as_deref().unwrap_or_default()), 16),
        cut(&one_line(&session.application_name), 24),
        state.to_owned(),
        age(session).map(duration).unwrap_or_default(),
        wait,
    ]
}

/// The cells side by side, with the query behind them, cut at the edge.
fn lay_out(cells: &[String; 6], query: &str, widths: &[usize; 6], width: usize) -> String {
    let mut out = String::new();
    for (place, (cell, width)) in cells.iter().zip(widths).enumerate() {
        let padded = if place == TIME {
            format!("{cell:>width$}")
        } else {
            format!("{cell:<width$}")
        };
        out.push_str(&padded);
        out.push_str("  ");
    }
    cut(format!("{out}{query}").trim_end(), width)
}

/// Red waits for another, yellow holds a transaction open, green works.
fn colour(session: &Activity) -> (&'static str, &'static str) {
    match session.state {
        _ if session.is_blocked() => ("\x1b[31m", "\x1b[0m"),
        Some(SessionState::IdleInTransaction | SessionState::IdleInTransactionAborted) => {
            ("\x1b[33m", "\x1b[0m")
        }
        Some(SessionState::Active) => ("\x1b[32m", "\x1b[0m"),
        _ => ("", ""),
    }
}

/// `0.4s`, `12.0s`, `4m05s`, `3h12m`, `2d04h`.
fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0..60 => format!("{:.1}s", (duration.as_millis() / 100) as f64 / 10.0),
        60..3600 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        3600..86400 => format!("{}h{:02}m", seconds / 3600, seconds / 60 % 60),
        _ => format!("{}d{:02}h", seconds / 86400, seconds / 3600 % 24),
    }
}

fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let kept: String = text.chars().take(width.saturating_sub(1)).collect();
    kept + "…"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_as_exact_as_it_is_short() {
        let shown = [0, 400, 59_999, 65_000, 11_520_000, 187_200_000]
            .map(|milliseconds| duration(Duration::from_millis(milliseconds)));
        assert_eq!(shown, ["0.0s", "0.4s", "59.9s", "1m05s", "3h12m", "2d04h"]);
    }

    #[test]
    fn what_a_terminal_would_take_for_a_command_is_written_out() {
        assert_eq!(
            one_line("a\n\tb \x1b[2Jc\u{9b}d\u{202e}"),
            "a b \\x1B[2Jc\\u009Bd\\u202E"
        );
    }

    #[test]
    fn a_text_is_cut_at_the_edge() {
        assert_eq!(cut("SELECT 1", 8), "SELECT 1");
        assert_eq!(cut("SELECT 12", 8), "SELECT …");
    }
}
