//! `bowline sql`: runs a query, a file or standard input, and prints the results as psql does.

mod printer;

use std::fs;
use std::io::{self, IsTerminal as _, Read as _};
use std::path::PathBuf;
use std::time::Duration;

use bowline::session::SimpleQueryMessage;
use bowline::{ErrorKind, Outcome, SqlState};
use clap::Args;
use diesel::connection::SimpleConnection as _;

use crate::connection::{Connected, DatabaseArgs, connect};
use crate::error::{CliError, failed};
use crate::interrupt;
use crate::sql_error::{SqlSource, explained};
use crate::ui;
use printer::Printer;

/// Run SQL, any number of statements, and print the results as psql does.
///
/// Several statements run in one transaction, unless they contain a BEGIN or COMMIT. Values are
/// PostgreSQL's own text, and NULL is empty. COPY (SELECT ..) TO STDOUT (FORMAT csv) writes CSV.
///
/// Example: bowline sql "SELECT id, username FROM accounts ORDER BY id LIMIT 10"
#[derive(Debug, Args)]
pub(crate) struct Sql {
    /// The SQL; without it and without --file, standard input is read.
    #[arg(value_name = "QUERY", conflicts_with = "file")]
    query: Option<String>,
    /// A file of SQL; - is standard input.
    #[arg(short, long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Make transactions read-only, unless the SQL itself sets another mode.
    #[arg(long)]
    read_only: bool,
    /// The time limit for everything; then the query is cancelled.
    #[arg(long, value_name = "SECONDS", default_value = "300", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    timeout: u64,
    #[command(flatten)]
    database: DatabaseArgs,
}

pub(crate) fn run(arguments: &Sql) -> Result<(), CliError> {
    let (path, text) = text(arguments)?;
    let config = arguments.database.config()?;
    let mut connected = connect(&config)?;
    if arguments.read_only {
        make_read_only(&mut connected)?;
    }
    let session = &mut connected.session;
    session.set_timeout(Duration::from_secs(arguments.timeout));
    ui::notices::show();
    let mut printer = Printer::default();
    let progress = ui::Progress::start("running");
    let done = session.simple_query(&text, |message| {
        match message {
            SimpleQueryMessage::RowDescription(columns) => printer.columns(columns),
            SimpleQueryMessage::Row(row) => printer.row(row),
            SimpleQueryMessage::CopyData(data) => printer.copied(data),
            SimpleQueryMessage::CommandComplete(tag) => printer.complete(tag),
            _ => {}
        }
        ui::is_read()
    });
    drop(progress);
    printer.flush();
    match done {
        Ok(()) => Ok(()),
        // The reader has ended, so the rest was cancelled. `ui::finish` reports any other failure.
        Err(_) if ui::is_read().is_break() => Ok(()),
        Err(error) => Err(failure(
            &error,
            arguments,
            &printer,
            SqlSource {
                path: &path,
                text: &text,
            },
        )),
    }
}

fn failure(
    error: &bowline::Error,
    arguments: &Sql,
    printer: &Printer,
    source: SqlSource<'_>,
) -> CliError {
    let done = printer.statements();
    let what = if done > 0 {
        format!("run statement {}", done + 1)
    } else {
        "run the query".to_owned()
    };
    let mut failed = explained(&what, error, source, done);
    let at = error
        .position()
        .map(|position| ui::word_at(source.text, position));
    if at.is_some_and(|span| source.text[span] == *"\\") {
        failed = failed
            .hint("commands of psql, such as \\d, are not SQL; `bowline schema` shows tables");
    }
    if interrupt::signal().is_none()
        && error.kind() == ErrorKind::Timeout
        && error.sqlstate() == Some(SqlState::QUERY_CANCELED)
    {
        failed = failed.hint(format!(
            "it took more than {} s; --timeout sets another limit",
            arguments.timeout
        ));
    }
    if done > 0 && error.outcome() == Outcome::NotCommitted {
        failed = failed.hint(if printer.has_committed() {
            "only the statements before the last COMMIT are committed"
        } else {
            "nothing is committed: the statements run in one transaction"
        });
    }
    failed
}

/// Returns the name of the SQL for errors, and the SQL.
fn text(arguments: &Sql) -> Result<(String, String), CliError> {
    if let Some(query) = &arguments.query {
        return Ok(("query".to_owned(), query.clone()));
    }
    match &arguments.file {
        Some(path) if path.as_os_str() != "-" => {
            let shown = path.display().to_string();
            let text = fs::read_to_string(path)
                .map_err(|error| CliError::failed(format!("cannot read {shown}: {error}")))?;
            // A byte order mark is not a part of the text.
            let text = text
                .strip_prefix('\u{feff}')
                .map_or(text.clone(), str::to_owned);
            Ok((shown, text))
        }
        named => {
            if named.is_none() && io::stdin().is_terminal() {
                return Err(CliError::usage("there is no SQL to run")
                    .hint("pass it as an argument, with -f FILE, or through a pipe; -f - reads from the terminal"));
            }
            let mut text = String::new();
            io::stdin().read_to_string(&mut text).map_err(|error| {
                CliError::failed(format!("cannot read standard input: {error}"))
            })?;
            Ok(("standard input".to_owned(), text))
        }
    }
}

fn make_read_only(connected: &mut Connected) -> Result<(), CliError> {
    if connected.is_pooled {
        // The pooler would keep the setting for other clients.
        return Err(CliError::failed(
            "the connection goes through a pooler, so the session cannot be made read-only",
        )
        .hint("connect to the server itself, or begin the SQL with BEGIN READ ONLY"));
    }
    connected
        .session
        .batch_execute("SET default_transaction_read_only = on")
        .map_err(|error| failed("make the session read-only", &error))
}
