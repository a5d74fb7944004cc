//! `bowline migrate status`.

use std::fmt::Write as _;

use bowline::__generated::migrating::{self, Recorded};
use bowline::Session;
use clap::Args;
use serde::Serialize;

use super::history::History;
use super::{order, sqlx};
use crate::error::CliError;
use crate::migrations::Migration;
use crate::ui::{self, Style};
use bowline_plan::project::{Late, MigrateSettings};

/// List the migrations and when they ran; changes nothing.
///
/// Sorted by version. Migrations that have run but are not in the folder are listed too, and so are
/// those that stopped halfway, and those that were edited after they ran. The exit code is 0; with
/// --check it is 1 unless all migrations of the folder, and no others, have run as they are. For
/// flat files, the history is that of sqlx.
///
/// Example: bowline migrate status --json
#[derive(Debug, Args)]
pub(super) struct Status {
    /// Exit with 1 if a migration is pending, or one that has run is not in the folder.
    #[arg(long)]
    check: bool,
    /// Print JSON: a list of objects with version, name, state (ran, pending, running, begun, which
    /// is a backfill that goes on with the next run, or failed, which is another one that stopped
    /// halfway), backfilled (the rows that its batches have looked at), run_on, in_folder, edited,
    /// and where Bowline recorded them origin (run, baseline, sqlx, resolved), ran_by, program and
    /// milliseconds.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Line<'a> {
    version: &'a str,
    /// The name of the folder; `None` if it is missing.
    name: Option<&'a str>,
    state: State,
    /// In the time zone of the session that ran it, which diesel's table does not record.
    run_on: Option<String>,
    in_folder: bool,
    edited: bool,
    /// The rows that the batches of a backfill have looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    backfilled: Option<u64>,
    origin: Option<&'a str>,
    ran_by: Option<&'a str>,
    program: Option<&'a str>,
    milliseconds: Option<i64>,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Ran,
    Pending,
    /// It began, and a run is in progress.
    Running,
    /// It is a backfill that began and did not finish, and goes on with the next run.
    Begun,
    /// It began and did not finish.
    Failed,
}

pub(super) fn run(
    arguments: &Status,
    session: &mut Session,
    migrations: &[Migration],
    settings: MigrateSettings,
) -> Result<(), CliError> {
    let history = super::read_history(session, migrations)?;
    let mut has_begun = history.failed().chain(history.going_on());
    let is_running = has_begun.next().is_some() && migrating::holder(session)?.is_some();
    let lines = lines(&history, migrations, is_running);
    if arguments.json {
        let lines: Vec<Line<'_>> = lines
            .into_iter()
            .map(|line| Line {
                run_on: line.run_on.map(|run_on| run_on.replace(' ', "T")),
                ..line
            })
            .collect();
        ui::json(&lines)?;
    } else {
        print(&lines, settings.late);
    }
    let is_flat = migrations.iter().any(Migration::is_sqlxs);
    if !is_flat && history.is_empty() && sqlx::has_run(session)? {
        ui::note(
            "sqlx has run migrations on this database; `bowline migrate import-sqlx` takes over its history",
        );
    }
    let late = order::late(&history.pending(migrations), &history);
    let refuses_late = settings.late == Late::Refuse && !late.is_empty();
    let pending = history.pending(migrations).len();
    let unknown = history.unknown(migrations).count();
    let unfinished = history.failed().count();
    let (running, failed) = match is_running {
        true => (unfinished, 0),
        false => (0, unfinished),
    };
    let edited = history.edited().count();
    let mut summary = format!(
        "{}, {pending} pending",
        ui::counted(migrations.len(), "migration")
    );
    for (number, what) in [
        (running, "running"),
        (unknown, "run but not in the folder"),
        (failed, "failed"),
        (edited, "edited since"),
    ] {
        if number > 0 {
            write!(summary, ", {number} {what}").ok();
        }
    }
    if arguments.check && pending + running + unknown + failed + edited > 0 {
        return Err(CliError::failed(summary).hint(match (failed, edited, pending) {
            _ if running > 0 => "a run is in progress: wait for its end",
            (1.., _, _) if is_flat => "check what the failed one has changed, and finish it with the tool that began it",
            (1.., _, _) => "find out what the failed one has changed, and say so with `bowline migrate resolve`",
            (_, 1.., _) => "restore the text that ran, and write a new migration for the change",
            (_, _, 1..) if is_flat => "run `sqlx migrate run`",
            (_, _, 1..) if refuses_late => "`bowline migrate run` refuses one that is older than one that has run: give it a later version by renaming its folder, or set late = \"warn\" under [migrate] in bowline.toml",
            (_, _, 1..) => "run `bowline migrate run`",
            _ => "check out the version of the code that has them",
        }));
    }
    ui::status(summary);
    Ok(())
}

fn lines<'a>(history: &'a History, migrations: &'a [Migration], is_running: bool) -> Vec<Line<'a>> {
    let line = |version: &'a str, name: Option<&'a str>| {
        let ran = history.get(version);
        let recorded = ran.and_then(|ran| ran.recorded.as_ref());
        Line {
            version,
            name,
            state: match ran {
                Some(ran) if (ran.has_failed || ran.goes_on) && is_running => State::Running,
                Some(ran) if ran.goes_on => State::Begun,
                Some(ran) if ran.has_failed => State::Failed,
                Some(_) => State::Ran,
                None => State::Pending,
            },
            run_on: ran.map(|ran| ran.run_on.clone()),
            in_folder: name.is_some(),
            edited: ran.is_some_and(|ran| ran.is_edited),
            backfilled: ran
                .filter(|ran| ran.goes_on)
                .and(recorded)
                .map(Recorded::backfilled),
            origin: recorded.and_then(|recorded| recorded.origin.as_deref()),
            ran_by: recorded.and_then(|recorded| recorded.ran_by.as_deref()),
            program: recorded.and_then(|recorded| recorded.program.as_deref()),
            milliseconds: recorded.and_then(|recorded| recorded.milliseconds),
        }
    };
    let known = migrations
        .iter()
        .map(|migration| line(&migration.version, Some(&migration.name)));
    let unknown = history
        .unknown(migrations)
        .map(|version| line(version, None));
    let mut lines: Vec<Line<'a>> = known.chain(unknown).collect();
    if migrations.iter().any(Migration::is_sqlxs) {
        lines.sort_by_key(|line| {
            let digits = line.version.trim_start_matches('0');
            (digits.len(), digits)
        });
    } else {
        lines.sort_by_key(|line| line.version);
    }
    lines
}

fn print(lines: &[Line<'_>], policy: Late) {
    let name = |line: &Line<'_>| ui::one_line(line.name.unwrap_or(line.version));
    let width = lines
        .iter()
        .map(|line| name(line).chars().count())
        .max()
        .unwrap_or_default();
    let latest = lines.iter().rposition(|line| line.state == State::Ran);
    let time = lines.iter().filter_map(|line| line.run_on.as_ref());
    let time = time.map(String::len).max().unwrap_or_default();
    for (index, line) in lines.iter().enumerate() {
        let state = match line.state {
            State::Ran => Style::Green.paint("ran    "),
            State::Pending => Style::Yellow.paint("pending"),
            State::Running => Style::Yellow.paint("running"),
            State::Begun => Style::Yellow.paint("begun  "),
            State::Failed => Style::Red.paint("failed "),
        };
        let remark = if !line.in_folder {
            format!("  {}", Style::Red.paint("not in the folder"))
        } else if line.state == State::Failed {
            format!("  {}", Style::Red.paint("began and did not finish"))
        } else if let Some(rows) = line.backfilled {
            let done = format!("{rows} rows of its backfill are done");
            format!("  {}", Style::Yellow.paint(done))
        } else if line.edited {
            format!("  {}", Style::Red.paint("edited since it ran"))
        } else if line.state == State::Pending && latest > Some(index) {
            match policy {
                Late::Refuse => format!(
                    "  {}",
                    Style::Red.paint("older than one that has run, so `run` refuses it")
                ),
                Late::Run | Late::Warn => {
                    format!("  {}", Style::Yellow.paint("older than one that has run"))
                }
            }
        } else {
            String::new()
        };
        let run_on = line.run_on.as_deref().unwrap_or_default();
        let run_on = Style::Dim.paint(format!("{run_on:time$}"));
        let text = format!("{state}  {:width$}  {run_on}{remark}", name(line));
        // Colour codes are removed, so that spaces before them count as trailing spaces.
        let plain = anstream::adapter::strip_str(&text).to_string();
        ui::coloured_result(if plain.trim_end() == plain {
            text
        } else {
            format!("{state}  {}", name(line))
        });
    }
}
