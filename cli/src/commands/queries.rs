//! `bowline queries`: lists the queries of the query files.

mod fix;
mod listed;

pub(super) use listed::base;

use clap::Args;

use crate::error::CliError;
use crate::project::Project;
use crate::queries::{SourceFile, read_folder};
use crate::source::replay_of_migrations;
use crate::ui::{self, counted};
use bowline_catalog::Catalog;
use bowline_catalog::query::{Checker, Shards};
use bowline_catalog::query_file::{Checked, Mistake, NamedQuery};
use bowline_catalog::replay::{Refusal, Replayed};

/// List the queries in queries/: their rows, the tables and columns that they read and write, and
/// the indexes that can serve them.
///
/// Each query is checked against the schema that the migrations make: no database, no network. A
/// query that PostgreSQL would not accept, or whose types are not certain, is shown with the
/// reason, and the exit code is 1. Where Citus distributes tables, the list has the shards that
/// each query asks, and which queries Citus refuses.
///
/// Example: bowline queries --json
#[derive(Debug, Args)]
pub(crate) struct Queries {
    /// Print JSON: a list of objects with name, file, line, sql, parameters, columns, rows, texts
    /// and, on Citus, shards, or with refused in place of the last ones.
    #[arg(long)]
    json: bool,
    /// Write the missing annotations, such as :many, into the headers.
    #[arg(long, conflicts_with = "json")]
    fix: bool,
}

/// A query, or a statement without a name, and the result of its check.
pub(super) struct Found<'f> {
    pub(super) file: &'f SourceFile,
    pub(super) query: Option<&'f NamedQuery>,
    pub(super) checked: Result<Checked, Vec<Mistake>>,
}

pub(crate) fn run(arguments: &Queries, project: &Project) -> Result<(), CliError> {
    let files = read_folder(&project.queries, &project.root)?;
    if files.is_empty() {
        return Err(no_files(project));
    }
    let migrations = project.read_migrations()?;
    let Replayed { catalog, refusals } = replay_of_migrations(migrations)?;
    let checker = Checker::new(&catalog).for_version(project.settings.postgres);
    let mut found: Vec<Found<'_>> = files
        .iter()
        .flat_map(|file| check(file, &checker))
        .collect();
    for refusal in &refusals {
        let file = refusal.file.strip_prefix(&project.root);
        let file = file.unwrap_or(&refusal.file).display();
        let location = format!("{file}:{}", refusal.line());
        ui::note(format!("{location} cannot be followed: {}", refusal.why));
        found
            .iter_mut()
            .for_each(|found| found.doubt(&catalog, refusal, &location));
    }
    if arguments.fix {
        fix::fix(&files, &found)?;
    } else if arguments.json {
        ui::json(&listed::json(&found, &catalog))?;
    } else {
        // Where no code can be generated, the table says the rest.
        let plan = super::generate::plan_of(&catalog, project).ok();
        let plan = plan.as_ref().map(|plan| (&catalog, plan));
        ui::text(&listed::table(&found, plan));
    }
    for found in &found {
        if let Ok(checked) = &found.checked {
            notes(found, checked).iter().for_each(ui::note);
        }
    }
    let refused = found.iter().filter(|found| found.checked.is_err()).count();
    if refused == 0 {
        return Ok(());
    }
    let reports: Vec<String> = found
        .iter()
        .flat_map(|found| {
            let mistakes = found.checked.as_ref().err().into_iter().flatten();
            mistakes.map(|mistake| found.file.underlined(mistake, None))
        })
        .collect();
    let verb = if refused == 1 { "is" } else { "are" };
    Err(CliError::failed(format!(
        "{refused} of {} {verb} refused",
        counted(found.len(), "statement")
    ))
    .report(reports.join("\n\n")))
}

fn no_files(project: &Project) -> CliError {
    let folder = bowline_plan::paths::shown_path(&project.queries);
    CliError::failed(format!("{folder} has no query files")).hint(format!(
        "write SQL into a file such as {folder}/accounts.sql, each statement below a comment: -- \
         name: list_accounts :many"
    ))
}

/// Checks the statements of a file, in their order.
pub(super) fn check<'f>(file: &'f SourceFile, checker: &Checker<'_>) -> Vec<Found<'f>> {
    let queries = file.content.queries.iter().map(|query| Found {
        file,
        query: Some(query),
        checked: if query.mistakes.is_empty() {
            query.check(checker).map_err(|mistake| vec![mistake])
        } else {
            Err(query.mistakes.clone())
        },
    });
    let others = file.content.mistakes.iter().map(|mistake| Found {
        file,
        query: None,
        checked: Err(vec![mistake.clone()]),
    });
    let mut found: Vec<Found<'f>> = queries.chain(others).collect();
    found.sort_by_key(Found::start);
    found
}

impl Found<'_> {
    /// Refuses the query if it names a relation that is also in a statement of a migration that
    /// cannot be followed.
    fn doubt(&mut self, catalog: &Catalog, refusal: &Refusal, location: &str) {
        let (Some(query), Ok(checked)) = (self.query, &self.checked) else {
            return;
        };
        let mut statements = bowline_sql::statements(&refusal.source);
        let start = refusal.span.start;
        let statement = statements.find(|it| start < it.start() + it.text().len());
        let statement = statement.map_or(&*refusal.source, |it| it.text());
        let statement = statement.to_lowercase();
        let sql = checked.query.sql.to_lowercase();
        let is_in_both = |name: &str| has_word(&statement, name) && has_word(&sql, name);
        let mut relations = catalog.relations.keys();
        let Some(relation) = relations.find(|it| is_in_both(&it.name.to_lowercase())) else {
            return;
        };
        self.checked = Err(vec![Mistake {
            code: None,
            message: format!(
                "{} is not known exactly, since {location} cannot be followed",
                relation.sql()
            ),
            span: query.name.span.clone(),
            hint: Some(refusal.hint.clone()),
        }]);
    }

    /// Returns the position of the name, or of the statement without one.
    pub(super) fn start(&self) -> usize {
        match (self.query, &self.checked) {
            (Some(query), _) => query.name.span.start,
            (None, Err(mistakes)) => mistakes.first().map_or(0, |first| first.span.start),
            (None, Ok(_)) => 0,
        }
    }
}

/// Returns true if a text has a word, also within a string such as a function's body.
fn has_word(text: &str, word: &str) -> bool {
    let mut words = text.split(|c: char| !c.is_alphanumeric() && c != '_');
    words.any(|other| other == word)
}

/// Returns what `bowline generate` would refuse, although the types are known.
fn notes(found: &Found<'_>, checked: &Checked) -> Vec<String> {
    let Some(query) = found.query else {
        return Vec::new();
    };
    let location = |at| format!("{}:{}", found.file.name, found.file.line(at));
    let mut notes = Vec::new();
    if let Some(conflict) = &checked.conflict {
        let hint = conflict.hint.as_deref().unwrap_or_default();
        notes.push(format!(
            "{}: {}: {hint}",
            location(conflict.span.start),
            conflict.message
        ));
    }
    if let Some(Shards::Refused(why)) = &checked.query.shards {
        let at = location(query.name.span.start);
        notes.push(format!("{at}: Citus refuses this query: {why}"));
    }
    if let Some(annotated) = &query.annotation
        && let Some(word) = annotated.of_sqlc
    {
        notes.push(format!(
            "{}: :{word} is read as {}",
            location(annotated.span.start),
            annotated.annotation
        ));
    }
    notes
}
