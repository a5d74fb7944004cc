//! `bowline diff`: what two schemas do not have in common.

use clap::Args;
use serde::Serialize;

use crate::error::CliError;
use crate::introspect::Asked;
use crate::project::Project;
use crate::source::{Fallback, Source, connect};
use crate::throwaway::Throwaway;
use crate::ui;
use bowline_catalog::Catalog;
use bowline_catalog::compare::{
    Comparison, Difference, How, Settled, has_open_texts, judged, never_compared,
};
use bowline_catalog::mend::mend;

/// Say what differs between two schemas, in words or as the SQL that makes the first one of the second.
///
/// Each is migrations, migrations@VERSION, the postgres:// URL of a database, a file .json of `bowline
/// catalog`, or a file .sql. Exits with 1 if they differ.
///
/// PostgreSQL rewrites the text of queries, defaults and checks. So where two texts differ, a server reads both:
/// that of the database, if one of the two is one, else a local one, in an empty database that is dropped afterwards.
///
/// Example: bowline diff migrations@20260105090000 migrations
#[derive(Debug, Args)]
pub(crate) struct Diff {
    /// What is as it should be.
    #[arg(value_name = "A", value_parser = Source::parse)]
    left: Source,
    /// What is compared with it.
    #[arg(value_name = "B", value_parser = Source::parse)]
    right: Source,
    /// Print the SQL that turns B into A.
    #[arg(long)]
    sql: bool,
    /// Print JSON: a list of objects with subject, kind (only_left, only_right, differs), aspect, left, right, words.
    #[arg(long, conflicts_with = "sql")]
    json: bool,
    #[command(flatten)]
    fallback: Fallback,
}

pub(crate) fn run(arguments: &Diff, project: &Project) -> Result<(), CliError> {
    let left = arguments.left.catalog(project, &arguments.fallback)?;
    let right = arguments.right.catalog(project, &arguments.fallback)?;
    // A server can tell whether two texts are one to PostgreSQL.
    let server = [&arguments.right, &arguments.left]
        .into_iter()
        .find_map(|source| match source {
            Source::Database(url) => Some(connect(Some(url))),
            _ => None,
        });
    let comparison = match server.transpose()? {
        Some(mut session) => {
            let mut asked = Asked::with_catalog(&mut session);
            judged(&left, &right, Some(&mut asked), &mut Settled::default())
        }
        None => without_database(&left, &right, &arguments.fallback)?,
    };
    let (mut left_name, mut right_name) = (arguments.left.words(), arguments.right.words());
    if left_name == right_name {
        left_name = "the first".to_owned();
        right_name = "the second".to_owned();
    }
    let form = Form::of(arguments.sql, arguments.json);
    told((&left, &left_name), (&right, &right_name), comparison, form)
}

/// Compares two catalogs of files. Where texts differ, a throwaway database reads them, if there is a server.
///
/// A server that the caller named has to answer; without any, the texts are compared as they are, with a note.
fn without_database(
    left: &Catalog,
    right: &Catalog,
    fallback: &Fallback,
) -> Result<Comparison, CliError> {
    let settled = &mut Settled::default();
    if fallback.offline || !has_open_texts(left, right) {
        return Ok(judged(left, right, None, settled));
    }
    let progress = ui::Progress::start("asking a server whether texts that differ mean the same");
    let throwaway = Throwaway::create(fallback.database_url.as_deref());
    let mut throwaway = match throwaway {
        Ok(throwaway) => throwaway,
        Err(unavailable) if fallback.database_url.is_some() => return Err(unavailable),
        Err(unavailable) => {
            drop(progress);
            ui::note(format!(
                "texts are compared as they are written, since no server could be asked what they mean: {}",
                unavailable.message
            ));
            return Ok(judged(left, right, None, settled));
        }
    };
    let refused = throwaway.make(right)?;
    let mut server = Asked::elsewhere(throwaway.session()?);
    let comparison = judged(left, right, Some(&mut server), settled);
    drop(progress);
    if refused > 0 {
        let count = ui::counted(refused, "object");
        ui::note(format!(
            "{count} could not be created on {}: texts that use them are compared as they are written",
            throwaway.server()
        ));
    }
    Ok(comparison)
}

/// How differences are told.
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

/// A difference for a program.
#[derive(Serialize)]
struct Told<'d> {
    subject: String,
    kind: &'static str,
    aspect: Option<&'static str>,
    left: Option<&'d str>,
    right: Option<&'d str>,
    words: String,
}

impl<'d> Told<'d> {
    fn of(difference: &'d Difference, left_name: &str, right_name: &str) -> Self {
        let (kind, aspect, left, right) = match &difference.how {
            How::OnlyLeft => ("only_left", None, None, None),
            How::OnlyRight => ("only_right", None, None, None),
            How::Differs {
                aspect,
                left,
                right,
            } => (
                "differs",
                Some(*aspect),
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
            words: difference.words(left_name, right_name),
        }
    }
}

/// Prints what differs; an error if anything does.
pub(super) fn told(
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
        let told = differences.iter();
        let told: Vec<Told<'_>> = told
            .map(|difference| Told::of(difference, left_name, right_name))
            .collect();
        ui::json(&told)?;
    }
    if differences.is_empty() {
        ui::status(format!("{left_name} and {right_name} are the same"));
        ui::note(format!("{} are not compared", never_compared()));
        return Ok(());
    }
    // A line is a line, and a comment ends with it, whatever a name holds.
    let words = differences.iter().map(|difference| {
        let words = difference.words(left_name, right_name);
        words.replace(['\n', '\r'], " ")
    });
    if form == Form::Sql {
        let words: String = words.map(|words| format!("-- {words}\n")).collect();
        ui::text(&format!("{words}\n{}", mend(left, right, &differences)));
    } else if form == Form::Words {
        words.for_each(ui::result);
    }
    let count = ui::counted(differences.len(), "difference");
    Err(CliError::failed(format!(
        "{count} between {left_name} and {right_name}"
    )))
}
