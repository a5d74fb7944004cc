//! `bowline diff`: what two schemas do not have in common.

use bowline::Session;
use clap::Args;
use serde::Serialize;

use crate::error::CliError;
use crate::introspect::Asked;
use crate::project::Project;
use crate::source::{Fallback, Source, connect};
use crate::ui;
use bowline_catalog::Catalog;
use bowline_catalog::compare::{Comparison, Difference, How, Server, Settled, judged};
use bowline_catalog::mend::mend;

/// Say what differs between two schemas, in words or as the SQL that makes the first one of the second.
///
/// Each is migrations, migrations@VERSION, the postgres:// URL of a database, a file .json of `bowline
/// catalog`, or a file .sql. Exits with 1 if they differ.
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
    // A database at hand can tell whether two texts are one to PostgreSQL.
    let server = [&arguments.right, &arguments.left]
        .into_iter()
        .find_map(|source| match source {
            Source::Database(url) => Some(connect(Some(url))),
            _ => None,
        });
    let mut server = server.transpose()?;
    let (mut left_name, mut right_name) = (arguments.left.words(), arguments.right.words());
    if left_name == right_name {
        left_name = "the first".to_owned();
        right_name = "the second".to_owned();
    }
    let form = Form::of(arguments.sql, arguments.json);
    told(
        (&left, &left_name),
        (&right, &right_name),
        server.as_mut(),
        form,
    )
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

/// What no catalog holds.
const NEVER_COMPARED: &str = "owners, default privileges, privileges of types and of the schema public, event triggers, publications, \
    operators, casts, collations, text search, foreign servers, statistics, the triggers of foreign keys and settings \
    of storage";

/// Prints what differs; an error if anything does.
pub(super) fn told(
    (left, left_name): (&Catalog, &str),
    (right, right_name): (&Catalog, &str),
    server: Option<&mut Session>,
    form: Form,
) -> Result<(), CliError> {
    let mut asked = server.map(Asked);
    let Comparison {
        differences,
        not_compared,
    } = judged(
        left,
        right,
        asked.as_mut().map(|asked| asked as &mut dyn Server),
        &mut Settled::default(),
    );
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
        ui::note(format!("{NEVER_COMPARED} are not compared"));
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
