//! `bowline migrate status`.

use bowline::Session;
use clap::Args;
use serde::Serialize;

use super::history::History;
use crate::error::CliError;
use crate::migrations::Migration;
use crate::ui::{self, Style};

/// List the migrations and when they ran; changes nothing.
///
/// Sorted by version. Migrations that have run but are not in the folder are listed too. The exit
/// code is 0; with --check it is 1 unless all migrations of the folder, and no others, have run.
///
/// Example: bowline migrate status --json
#[derive(Debug, Args)]
pub(super) struct Status {
    /// Exit with 1 if a migration is pending, or one that has run is not in the folder.
    #[arg(long)]
    check: bool,
    /// Print JSON: a list of objects with version, name, state (ran or pending), run_on and
    /// in_folder.
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
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Ran,
    Pending,
}

pub(super) fn run(
    arguments: &Status,
    session: &mut Session,
    migrations: &[Migration],
) -> Result<(), CliError> {
    let history = History::read(session)?;
    let lines = lines(&history, migrations);
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
        print(&lines);
    }
    let pending = history.pending(migrations).len();
    let unknown = history.unknown(migrations).count();
    let count = ui::counted(migrations.len(), "migration");
    let missing = if unknown > 0 {
        format!(", {unknown} run but not in the folder")
    } else {
        String::new()
    };
    let summary = format!("{count}, {pending} pending{missing}");
    if arguments.check && pending + unknown > 0 {
        return Err(CliError::failed(summary).hint(if pending > 0 {
            "run `bowline migrate run`"
        } else {
            "check out the version of the code that has them"
        }));
    }
    ui::status(summary);
    Ok(())
}

fn lines<'a>(history: &'a History, migrations: &'a [Migration]) -> Vec<Line<'a>> {
    let known = migrations.iter().map(|migration| {
        let run_on = history.ran(&migration.version);
        Line {
            version: &migration.version,
            name: Some(&migration.name),
            state: if run_on.is_some() {
                State::Ran
            } else {
                State::Pending
            },
            run_on: run_on.map(str::to_owned),
            in_folder: true,
        }
    });
    let unknown = history.unknown(migrations).map(|version| Line {
        version,
        name: None,
        state: State::Ran,
        run_on: history.ran(version).map(str::to_owned),
        in_folder: false,
    });
    let mut lines: Vec<Line<'a>> = known.chain(unknown).collect();
    lines.sort_by_key(|line| line.version);
    lines
}

fn print(lines: &[Line<'_>]) {
    let name = |line: &Line<'_>| ui::one_line(line.name.unwrap_or(line.version));
    let width = lines
        .iter()
        .map(|line| name(line).chars().count())
        .max()
        .unwrap_or_default();
    let latest = lines.iter().rev().find(|line| line.state == State::Ran);
    let latest = latest.map_or("", |line| line.version);
    let time = lines.iter().filter_map(|line| line.run_on.as_ref());
    let time = time.map(String::len).max().unwrap_or_default();
    for line in lines {
        let state = match line.state {
            State::Ran => Style::Green.paint("ran    "),
            State::Pending => Style::Yellow.paint("pending"),
        };
        let remark = if !line.in_folder {
            format!("  {}", Style::Red.paint("not in the folder"))
        } else if line.state == State::Pending && line.version < latest {
            format!("  {}", Style::Yellow.paint("older than one that has run"))
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
