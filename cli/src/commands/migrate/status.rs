//! `bowline migrate status`.

use bowline::Session;
use clap::Args;
use serde::Serialize;

use super::history::History;
use crate::error::CliError;
use crate::migrations::Migration;
use crate::ui;

/// List the migrations, and when each of them has run; changes nothing.
///
/// In the order of their versions, those too that have run but are not in the folder. Exits with 0 whatever there is,
/// or with --check with 1 unless all of the folder and nothing else has run.
///
/// Example: bowline migrate status --json
#[derive(Debug, Args)]
pub(super) struct Status {
    /// Exit with 1 if something has not run yet, or has run that is not in the folder.
    #[arg(long)]
    check: bool,
    /// Print JSON: a list of objects with version, name, state (ran or pending), run_on and in_folder.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Line<'a> {
    version: &'a str,
    /// The folder's; none of what is not in it.
    name: Option<&'a str>,
    state: State,
    /// In the time zone of who ran it, which diesel's table does not keep.
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
    let strange = if unknown > 0 {
        format!(", {unknown} run that the folder does not have")
    } else {
        String::new()
    };
    let summary = format!("{count}, {pending} pending{strange}");
    if arguments.check && pending + unknown > 0 {
        return Err(CliError::failed(summary).hint(if pending > 0 {
            "run `bowline migrate run`"
        } else {
            "get the version of the code that has them"
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
            State::Ran => "\x1b[32mran    \x1b[0m",
            State::Pending => "\x1b[33mpending\x1b[0m",
        };
        let remark = if !line.in_folder {
            "  \x1b[31mnot in the folder\x1b[0m"
        } else if line.state == State::Pending && line.version < latest {
            "  \x1b[33molder than one that has run\x1b[0m"
        } else {
            ""
        };
        let run_on = line.run_on.as_deref().unwrap_or_default();
        let text = format!(
            "{state}  {:width$}  \x1b[2m{run_on:time$}\x1b[0m{remark}",
            name(line)
        );
        // Colours take no place, so spaces at the end are found without them.
        let plain = anstream::adapter::strip_str(&text).to_string();
        ui::coloured_result(if plain.trim_end() == plain {
            text
        } else {
            format!("{state}  {}", name(line))
        });
    }
}
