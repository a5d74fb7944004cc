//! `bowline sql`: a query, a file or standard input, with its answers as psql prints them.

mod printer;

use std::fs;
use std::io::{self, IsTerminal as _, Read as _};
use std::path::PathBuf;
use std::time::Duration;

use bowline::{Outcome, SimpleQueryMessage, SqlState};
use clap::Args;
use diesel::connection::SimpleConnection as _;

use crate::connection::{self, Connected};
use crate::error::{CliError, failed};
use crate::interrupt;
use crate::sql_error::{Written, explained};
use crate::ui;
use printer::Printer;

/// Run SQL, any number of statements, and print the answers as psql does.
///
/// Several statements run in one transaction, unless they hold a BEGIN or COMMIT of their own. Values are PostgreSQL's
/// own text, and NULL is printed as nothing. COPY (SELECT ..) TO STDOUT (FORMAT csv) writes CSV.
///
/// Example: bowline sql "SELECT id, username FROM accounts ORDER BY id LIMIT 10"
#[derive(Debug, Args)]
pub(crate) struct Sql {
    /// The SQL; without it and without --file it is read from standard input.
    #[arg(value_name = "QUERY", conflicts_with = "file")]
    query: Option<String>,
    /// A file of SQL; - is standard input.
    #[arg(short, long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Let nothing be written: transactions are read-only, unless the SQL itself says otherwise.
    #[arg(long)]
    read_only: bool,
    /// How long it may take in all; then it is cancelled.
    #[arg(long, value_name = "SECONDS", default_value = "300", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    timeout: u64,
    /// The database; else DATABASE_URL, from the environment or from a file .env, and PG* variables.
    #[arg(long, value_name = "URL")]
    database_url: Option<String>,
}

pub(crate) fn run(arguments: &Sql) -> Result<(), CliError> {
    let (path, text) = text(arguments)?;
    let config = connection::config(arguments.database_url.as_deref())?;
    let mut connected = connection::connect(&config)?;
    if arguments.read_only {
        make_read_only(&mut connected)?;
    }
    let session = &mut connected.session;
    session.within(Duration::from_secs(arguments.timeout));
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
        ui::wanted()
    });
    drop(progress);
    printer.flush();
    match done {
        Ok(()) => Ok(()),
        // Nobody reads any more, so the rest was cancelled; why, the end of the program says.
        Err(_) if ui::wanted().is_break() => Ok(()),
        Err(error) => Err(failure(
            &error,
            arguments,
            &printer,
            Written {
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
    written: Written<'_>,
) -> CliError {
    let done = printer.statements();
    let what = if done > 0 {
        format!("run statement {}", done + 1)
    } else {
        "run the query".to_owned()
    };
    let mut failed = explained(&what, error, written, done);
    let at = error
        .position()
        .map(|position| ui::word_at(written.text, position));
    if at.is_some_and(|span| written.text[span] == *"\\") {
        failed = failed
            .hint("a command of psql's, such as \\d, is no SQL; `bowline schema` shows tables");
    }
    if interrupt::happened().is_none()
        && matches!(error, bowline::Error::Timeout(_))
        && error.sqlstate() == Some(SqlState::QUERY_CANCELED)
    {
        failed = failed.hint(format!("more than {} s: see --timeout", arguments.timeout));
    }
    if done > 0 && error.outcome() == Outcome::NotCommitted {
        failed = failed.hint(if printer.has_committed() {
            "what stands before the last COMMIT is committed, nothing else"
        } else {
            "nothing is committed: the statements run in one transaction"
        });
    }
    failed
}

/// What errors call the SQL, and the SQL.
fn text(arguments: &Sql) -> Result<(String, String), CliError> {
    if let Some(query) = &arguments.query {
        return Ok(("query".to_owned(), query.clone()));
    }
    match &arguments.file {
        Some(path) if path.as_os_str() != "-" => {
            let shown = path.display().to_string();
            let text = fs::read_to_string(path)
                .map_err(|error| CliError::failed(format!("cannot read {shown}: {error}")))?;
            // A byte order mark is no part of the text.
            let text = text
                .strip_prefix('\u{feff}')
                .map_or(text.clone(), str::to_owned);
            Ok((shown, text))
        }
        named => {
            if named.is_none() && io::stdin().is_terminal() {
                return Err(CliError::usage("there is no SQL to run")
                    .hint("give it as an argument, with -f FILE, or through a pipe; -f - reads from the terminal"));
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
        // The setting would stay with a session that others get next.
        return Err(CliError::failed(
            "a pooler stands in between, so the session cannot be made read-only",
        )
        .hint("connect to the server itself, or write BEGIN READ ONLY in front"));
    }
    connected
        .session
        .batch_execute("SET default_transaction_read_only = on")
        .map_err(|error| failed("make the session read-only", &error))
}
