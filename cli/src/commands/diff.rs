//! `bowline diff`: the differences between two schemas.

use clap::Args;
use serde::Serialize;

use crate::error::CliError;
use crate::introspect::ComparisonServer;
use crate::project::Project;
use crate::source::{Fallback, Source};
use crate::throwaway::Throwaway;
use crate::ui;
use bowline_catalog::Catalog;
use bowline_catalog::alter::alter_script;
use bowline_catalog::compare::{
    Comparison, Difference, EqualTexts, How, compare_with, has_open_texts, never_compared,
};

/// Show the differences between two schemas, in words or as SQL that changes the second into the
/// first.
///
/// A schema is migrations, migrations@VERSION, the postgres:// URL of a database, a .json file of
/// `bowline catalog`, or a .sql file. The exit code is 1 if they differ.
///
/// PostgreSQL rewrites the text of queries, defaults and checks. So where two texts differ, a
/// server parses both: that of a compared database, or else a local one, in an empty database that
/// is dropped afterwards.
///
/// Example: bowline diff migrations@20260105090000 migrations
#[derive(Debug, Args)]
pub(crate) struct Diff {
    /// The schema that is right.
    #[arg(value_name = "A", value_parser = Source::parse)]
    left: Source,
    /// The schema to compare with it.
    #[arg(value_name = "B", value_parser = Source::parse)]
    right: Source,
    /// Print the SQL that changes B into A.
    #[arg(long)]
    sql: bool,
    /// Print JSON: a list of objects with subject, kind (only_left, only_right, differs), aspect,
    /// left, right, words.
    #[arg(long, conflicts_with = "sql")]
    json: bool,
    #[command(flatten)]
    fallback: Fallback,
}

pub(crate) fn run(arguments: &Diff, project: &Project) -> Result<(), CliError> {
    let left = arguments.left.open(project, &arguments.fallback)?;
    let right = arguments.right.open(project, &arguments.fallback)?;
    // A server decides whether two different texts mean the same to PostgreSQL.
    let session = right.session.or(left.session);
    let (left, right) = (left.catalog, right.catalog);
    let comparison = match session {
        Some(mut session) => {
            let mut server = ComparisonServer::with_catalog(&mut session);
            compare_with(&left, &right, Some(&mut server), &mut EqualTexts::default())
        }
        None => without_database(&left, &right, &arguments.fallback)?,
    };
    let (mut left_name, mut right_name) =
        (arguments.left.description(), arguments.right.description());
    if left_name == right_name {
        left_name = "the first".to_owned();
        right_name = "the second".to_owned();
    }
    let form = Form::of(arguments.sql, arguments.json);
    report((&left, &left_name), (&right, &right_name), comparison, form)
}

/// Compares two catalogs of files. Where texts differ, a temporary database parses them, if a
/// server is available.
///
/// A server that the caller names has to answer. Without a server, texts are compared as written,
/// with a note.
fn without_database(
    left: &Catalog,
    right: &Catalog,
    fallback: &Fallback,
) -> Result<Comparison, CliError> {
    let equal = &mut EqualTexts::default();
    let Some(server) = fallback.server().filter(|_| has_open_texts(left, right)) else {
        return Ok(compare_with(left, right, None, equal));
    };
    let progress = ui::Progress::start("starting a server to compare expressions");
    let mut throwaway = match Throwaway::create(server) {
        Ok(throwaway) => throwaway,
        Err(unavailable) if server.is_named() => return Err(unavailable),
        Err(unavailable) => {
            drop(progress);
            ui::note(format!(
                "expressions are compared as they are written, since no server is available: {}",
                unavailable.message
            ));
            return Ok(compare_with(left, right, None, equal));
        }
    };
    let refused = throwaway.make(right)?;
    let mut server = ComparisonServer::elsewhere(throwaway.session()?);
    let comparison = compare_with(left, right, Some(&mut server), equal);
    drop(progress);
    if refused > 0 {
        let count = ui::counted(refused, "object");
        ui::note(format!(
            "{count} could not be created on {}: expressions that use them are compared as they \
             are written",
            throwaway.server()
        ));
    }
    Ok(comparison)
}

/// The format of differences.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Words,
    Sql,
    Json,
}

impl Form {
    pub(super) fn of(sql: bool, json: bool) -> Self {
        match (sql, json) {
            (true, _) => Self::Sql,
            (_, true) => Self::Json,
            _ => Self::Words,
        }
    }
}

/// A difference, as JSON.
#[derive(Serialize)]
struct JsonDifference<'d> {
    subject: String,
    kind: &'static str,
    aspect: Option<&'static str>,
    left: Option<&'d str>,
    right: Option<&'d str>,
    words: String,
}

impl<'d> JsonDifference<'d> {
    fn of(difference: &'d Difference, left_name: &str, right_name: &str) -> Self {
        let (kind, aspect, left, right) = match &difference.how {
            How::OnlyLeft => ("only_left", None, None, None),
            How::OnlyRight => ("only_right", None, None, None),
            How::Differs {
                aspect,
                left,
                right,
                ..
            } => (
                "differs",
                Some(aspect.noun()),
                Some(left.as_str()),
                Some(right.as_str()),
            ),
        };
        Self {
            subject: difference.subject.to_string(),
            kind,
            aspect,
            left,
            right,
            words: difference.sentence(left_name, right_name),
        }
    }
}

/// Prints the differences; fails if there are any.
pub(super) fn report(
    (left, left_name): (&Catalog, &str),
    (right, right_name): (&Catalog, &str),
    Comparison {
        differences,
        not_compared,
    }: Comparison,
    form: Form,
) -> Result<(), CliError> {
    if form != Form::Json {
        not_compared
            .iter()
            .for_each(|what| ui::note(format!("not compared: {what}")));
    }
    if form == Form::Json {
        let differences = differences.iter();
        let differences: Vec<JsonDifference<'_>> = differences
            .map(|difference| JsonDifference::of(difference, left_name, right_name))
            .collect();
        ui::json(&differences)?;
    }
    if differences.is_empty() {
        ui::status(format!("{left_name} and {right_name} are the same"));
        ui::note(format!("{} are not compared", never_compared()));
        return Ok(());
    }
    // A name may contain line breaks, and a line break ends an SQL comment.
    let words = differences.iter().map(|difference| {
        let words = difference.sentence(left_name, right_name);
        words.replace(['\n', '\r'], " ")
    });
    if form == Form::Sql {
        let words: String = words.map(|words| format!("-- {words}\n")).collect();
        ui::text(&format!(
            "{words}\n{}",
            alter_script(left, right, &differences)
        ));
    } else if form == Form::Words {
        words.for_each(ui::result);
    }
    let count = ui::counted(differences.len(), "difference");
    Err(CliError::failed(format!(
        "{count} between {left_name} and {right_name}"
    )))
}
