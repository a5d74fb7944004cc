//! The query files: checked against the schema, and planned.

use std::collections::BTreeMap;
use std::ops::Range;

use bowline_catalog::Catalog;
use bowline_catalog::query::Checker;
use bowline_catalog::query_file::{Mistake, NamedQuery};
use bowline_catalog::replay::{replay, replay_each};
use bowline_sql::statements;

use super::asked::Asked;
use crate::error::CliError;
use crate::migrations::{Migration, SqlFile, prepared};
use crate::project::Project;
use crate::queries::SourceFile;
use crate::ui::{Excerpt, counted};
use bowline_plan::paths::shown_path;
use bowline_plan::plan::{self, CheckedFile, Plan, QueryFilePlan};

/// A mistake in a query file.
type Wrong<'f> = (&'f SourceFile, Mistake);

/// Checks the query files and returns the plans of their code.
pub(super) fn planned(
    catalog: &Catalog,
    plan: &Plan,
    files: &[SourceFile],
    project: &Project,
    asked: &mut Asked<'_>,
    note: &mut dyn FnMut(String),
) -> Result<Vec<QueryFilePlan>, CliError> {
    if files.is_empty() {
        return Ok(Vec::new());
    }
    one_module_each(files)?;
    let version = project.settings.postgres;
    let checker = Checker::new(catalog).for_version(version);
    let mut planned = Vec::new();
    let mut wrong: Vec<Wrong<'_>> = Vec::new();
    let mut refused: Vec<Wrong<'_>> = Vec::new();
    for file in files {
        let header = file.content.mistakes.iter();
        let header = header.chain(
            file.content
                .queries
                .iter()
                .flat_map(|query| &query.mistakes),
        );
        wrong.extend(header.map(|mistake| (file, mistake.clone())));
        let mut queries = Vec::new();
        for query in file
            .content
            .queries
            .iter()
            .filter(|query| query.mistakes.is_empty())
        {
            match query.check(&checker) {
                Ok(checked) => {
                    wrong.extend(checked.conflict.clone().map(|mistake| (file, mistake)));
                    queries.push((query, checked));
                }
                // PostgreSQL may accept what inference does not know. Of a query with several texts
                // a server would have to be asked for each.
                Err(mistake) if mistake.code.is_none() && query.shapes() == 1 => {
                    match asked.ask(query)? {
                        Some((found, server)) => {
                            note(format!(
                                "{}:{}: the types of `{}` are from {server}, and each column can be NULL, since: {}",
                                file.name,
                                file.line(query.name.span.start),
                                query.name.text,
                                mistake.message
                            ));
                            queries.push((query, found.into()));
                        }
                        None => refused.push((file, mistake)),
                    }
                }
                Err(mistake) => refused.push((file, mistake)),
            }
            if let Some(annotated) = &query.annotation
                && let Some(of_sqlc) = annotated.of_sqlc
            {
                note(format!(
                    "{}:{}: :{of_sqlc} is sqlc's word for {}",
                    file.name,
                    file.line(annotated.span.start),
                    annotated.annotation
                ));
            }
        }
        let checked = CheckedFile {
            name: &file.name,
            stem: file.stem(),
            queries,
        };
        match plan::query_file(catalog, plan, &checked, &project.settings.extra_derives) {
            Ok(file) => planned.push(file),
            Err(mistakes) => wrong.extend(mistakes.into_iter().map(|mistake| (file, mistake))),
        }
    }
    if wrong.is_empty() && refused.is_empty() {
        return Ok(planned);
    }
    Err(failure(&wrong, &refused, asked.migrations, version))
}

/// Returns the error for all mistakes. Each is underlined, with the migration that broke the query,
/// if any.
fn failure(
    wrong: &[Wrong<'_>],
    refused: &[Wrong<'_>],
    migrations: &[Migration],
    version: Option<u32>,
) -> CliError {
    let causes = causes(refused, migrations, version);
    let mut all: Vec<(&Wrong<'_>, Option<&Excerpt<'_>>)> = wrong
        .iter()
        .map(|wrong| (wrong, None))
        .chain(refused.iter().zip(causes.iter().map(Option::as_ref)))
        .collect();
    all.sort_by_key(|((file, mistake), _)| (&file.name, mistake.span.start));
    let reports: Vec<String> = all
        .iter()
        .map(|((file, mistake), cause)| file.underlined(mistake, *cause))
        .collect();
    CliError::failed(format!(
        "no code can be generated: {} in the query files",
        counted(all.len(), "mistake")
    ))
    .report(reports.join("\n\n"))
}

/// Returns the statement of a migration after which each query is refused, if it was accepted
/// before.
fn causes<'m>(
    refused: &[Wrong<'_>],
    migrations: &'m [Migration],
    version: Option<u32>,
) -> Vec<Option<Excerpt<'m>>> {
    let mut broken: Vec<Option<usize>> = vec![None; refused.len()];
    // Migrations that cannot be replayed have no catalogs to compare.
    let Ok(sent) = prepared(migrations) else {
        return refused.iter().map(|_| None).collect();
    };
    let queries: Vec<Option<&NamedQuery>> = refused.iter().map(query_of).collect();
    if !refused.is_empty() {
        let mut was_accepted = vec![false; refused.len()];
        replay_each(
            sent.iter().map(|migration| &migration.up),
            |number, catalog| {
                let checker = Checker::new(catalog).for_version(version);
                for (index, query) in queries.iter().enumerate() {
                    let is_accepted = query.is_some_and(|query| query.check(&checker).is_ok());
                    if is_accepted {
                        broken[index] = None;
                    } else if was_accepted[index] {
                        broken[index] = Some(number);
                    }
                    was_accepted[index] = is_accepted;
                }
            },
        );
    }
    let causes = broken.into_iter().zip(queries).map(|(number, query)| {
        let migration = migrations.get(number?)?;
        let span = statement(&sent[..=number?], query?, version);
        // The SQL that is sent may lack a BEGIN of the file, and then positions differ.
        let is_whole = sent.get(number?)?.up.text == migration.up.text;
        Some(Excerpt {
            path: shown_path(&migration.up.path),
            source: &migration.up.text,
            span: span.filter(|_| is_whole).unwrap_or(0..0),
        })
    });
    causes.collect()
}

/// Returns the query that a mistake is in.
fn query_of<'f>((file, mistake): &Wrong<'f>) -> Option<&'f NamedQuery> {
    let mut queries = file.content.queries.iter();
    queries.find(|query| {
        query.span.start <= mistake.span.start && mistake.span.start <= query.span.end
    })
}

/// Returns the first line of the statement in the last migration after which a query is refused.
fn statement(
    migrations: &[Migration],
    query: &NamedQuery,
    version: Option<u32>,
) -> Option<Range<usize>> {
    /// The limit of replayed statements. Each needs a replay of all migrations before it.
    const MAX_STATEMENTS: usize = 50;
    let (last, before) = migrations.split_last()?;
    let text = &last.up.text;
    for statement in statements(text).take(MAX_STATEMENTS) {
        let end = statement.start() + statement.text().len();
        let part = SqlFile {
            path: last.up.path.clone(),
            text: format!("{};", &text[..end]),
        };
        let files = before.iter().map(|migration| &migration.up);
        let replayed = replay(files.chain([&part]));
        let checker = Checker::new(&replayed.catalog).for_version(version);
        if query.check(&checker).is_err() {
            let line = statement.text().lines().next().unwrap_or_default();
            return Some(statement.start()..statement.start() + line.trim_end().len());
        }
    }
    None
}

/// Fails if the code of two files would be in one module.
fn one_module_each(files: &[SourceFile]) -> Result<(), CliError> {
    let mut modules: BTreeMap<String, &SourceFile> = BTreeMap::new();
    for file in files {
        if let Some(other) = modules.insert(plan::query_module(file.stem()), file) {
            return Err(CliError::failed(format!(
                "the queries of {} and {} would be in one module",
                other.name, file.name
            ))
            .hint("rename one of the files"));
        }
    }
    Ok(())
}
