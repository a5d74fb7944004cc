//! The migrations in which a statement is safe for a database in use.

use std::path::PathBuf;

use super::{Texts, inverse};
use crate::error::CliError;
use crate::migrations::{Migration, SqlFile, prepared};
use crate::project::Project;
use crate::ui;
use bowline_catalog::Catalog;
use bowline_catalog::alter::alter_script;
use bowline_catalog::compare::{Difference, compare};
use bowline_catalog::lint::{Finding, Input, Rule, SafeForm, Step, safe_form};
use bowline_catalog::replay::{replay, replay_each};

/// Returns the migrations that do what a statement does, in the order in which they run.
pub(super) fn migrations(
    sql: &str,
    name: Option<&str>,
    project: &Project,
    existing: &[Migration],
) -> Result<Vec<Texts>, CliError> {
    if bowline_sql::statements(sql).count() != 1 {
        return Err(CliError::usage("--safe takes one statement of SQL")
            .hint("run it once for each statement"));
    }
    let statement = SqlFile {
        path: PathBuf::from("--safe"),
        text: format!("{}\n", sql.trim()),
    };
    let existing = prepared(existing)?;
    let inputs: Vec<Input<'_>> = existing.iter().map(input).collect();
    let (steps, advice) = match safe_form(&inputs, &statement, project.settings.postgres) {
        SafeForm::AsItIs(advice) => (vec![plain(&statement.text)], advice),
        SafeForm::Steps { why, steps, advice } => {
            for finding in &why {
                ui::note(format!("as it is, {}", finding.message));
            }
            (in_files(&steps), advice)
        }
        SafeForm::Unsafe(why) => {
            return Err(refused("there are no steps in which it is safe", &why));
        }
        SafeForm::NoBatches(why) => {
            let message = format!("it cannot run in batches: {why}");
            return Err(CliError::failed(message).hint(
                "as one statement it locks all rows that it changes until it ends; write that as a migration of its own if they are few",
            ));
        }
        SafeForm::Several(why) => {
            let message = "several of its actions need steps of their own";
            return Err(refused(message, &why)
                .hint("write each action as a statement, and run `bowline new --safe` for each"));
        }
        SafeForm::Refused(refusal) => return Err(crate::source::refused(&[*refusal])),
    };
    for finding in &advice {
        ui::note(&finding.message);
    }
    let indexes = advice
        .iter()
        .filter(|finding| finding.rule == Rule::ForeignKeyWithoutIndex)
        .flat_map(|finding| &finding.steps);
    let indexes: Vec<Step> = indexes.cloned().collect();
    let steps = with_indexes(steps, &indexes, &existing);
    let base = name.map_or_else(|| words(sql), str::to_owned);
    let texts = texts(&base, steps, &existing);
    prove(&texts, &existing, &statement, &indexes)?;
    Ok(texts)
}

/// Returns the steps with the indexes that a foreign key lacks: before it if its column is there
/// already, since each DELETE of a referenced row needs them.
fn with_indexes(steps: Vec<Step>, indexes: &[Step], existing: &[Migration]) -> Vec<Step> {
    if indexes.is_empty() {
        return steps;
    }
    let before = existing.iter().map(|migration| migration.up.clone());
    let before: Vec<SqlFile> = before.collect();
    let made: Vec<SqlFile> = steps.iter().map(|step| file("step", &step.sql)).collect();
    let index: Vec<SqlFile> = indexes
        .iter()
        .map(|step| file("index", &step.sql))
        .collect();
    let fits = |at: &usize| {
        let files = before.iter().chain(&made[..*at]).chain(&index);
        let refusals = replay(files).refusals;
        refusals
            .iter()
            .all(|refusal| refusal.file.as_os_str() != "index")
    };
    let at = (0..=made.len()).find(fits).unwrap_or(made.len());
    let mut steps = steps;
    steps.splice(at..at, indexes.iter().cloned());
    steps
}

fn input(migration: &Migration) -> Input<'_> {
    Input {
        up: &migration.up,
        in_transaction: migration.run_in_transaction,
    }
}

fn refused(message: &str, why: &[Finding]) -> CliError {
    let reasons: Vec<String> = why
        .iter()
        .map(|finding| match finding.help.as_str() {
            "" => finding.message.clone(),
            help => format!("{}; {help}", finding.message),
        })
        .collect();
    CliError::failed(message).report(reasons.join("\n"))
}

fn plain(sql: &str) -> Step {
    Step {
        sql: format!("{};", sql.trim().trim_end_matches(';').trim_end()),
        in_transaction: true,
    }
}

/// Returns the steps that are files: what happens between two of them is a comment at the head of
/// the next one.
fn in_files(steps: &[Step]) -> Vec<Step> {
    let mut files = Vec::new();
    let mut head = String::new();
    for step in steps {
        if bowline_sql::statements(&step.sql).next().is_none() {
            head.push_str(&step.sql);
            head.push('\n');
            continue;
        }
        files.push(Step {
            sql: format!("{}{}", std::mem::take(&mut head), step.sql),
            in_transaction: step.in_transaction,
        });
    }
    files
}

/// What a step is for, as a part of the name of its folder.
fn phase(sql: &str) -> &'static str {
    let of = |statement: bowline_sql::Statement<'_>| {
        let words: Vec<_> = statement.tokens().collect();
        let has = |word: &str| words.iter().any(|token| token.is_word(word));
        let follow = |first: &str, second: &[&str]| {
            let mut pairs = words.windows(2);
            pairs.any(|pair| pair[0].is_word(first) && pair[1].is_one_of(second))
        };
        if words
            .first()
            .is_some_and(|word| word.is_one_of(&["update", "delete"]))
        {
            "backfill"
        } else if follow("drop", &["column", "table", "view"]) {
            "contract"
        } else if has("validate") || follow("set", &["not"]) {
            "validate"
        } else {
            "expand"
        }
    };
    let phases: Vec<&str> = bowline_sql::statements(sql).map(of).collect();
    let order = ["contract", "backfill", "validate"];
    let mut found = order.into_iter().filter(|phase| phases.contains(phase));
    found.next().unwrap_or("expand")
}

/// Returns the folders, each with the SQL that reverts it.
fn texts(base: &str, steps: Vec<Step>, existing: &[Migration]) -> Vec<Texts> {
    let is_one = steps.len() == 1;
    let mut files: Vec<SqlFile> = existing
        .iter()
        .map(|migration| migration.up.clone())
        .collect();
    let from = files.len();
    // The rows of a backfill are no part of the schema.
    let made = steps.iter().map(|step| match phase(&step.sql) {
        "backfill" => file("backfill", ""),
        _ => file("step", &step.sql),
    });
    let made: Vec<SqlFile> = made.collect();
    let mut catalogs = Vec::new();
    replay_each(files.iter().chain(&made), |number, catalog| {
        if number + 1 >= from {
            catalogs.push(catalog.clone());
        }
    });
    if from == 0 {
        catalogs.insert(0, Catalog::default());
    }
    let mut catalogs = catalogs.into_iter();
    let mut before = catalogs.next().unwrap_or_default();
    let mut texts = Vec::new();
    for ((number, step), made) in steps.into_iter().enumerate().zip(made) {
        let name = match is_one {
            true => base.to_owned(),
            false => format!("{base}_{}_{}", number + 1, phase(&step.sql)),
        };
        // Rows are no part of the schema, and the value of some is for a person to write.
        let is_backfill = phase(&step.sql) == "backfill";
        if is_backfill && step.sql.contains("= ..") {
            ui::note(format!(
                "write the value in the up.sql of {name}, in place of `..`"
            ));
        }
        files.push(made);
        let after = catalogs.next().unwrap_or_default();
        let down = down(&files, &before, &after, &step);
        texts.push(Texts {
            name,
            up: format!("{}\n", step.sql),
            down,
            in_transaction: step.in_transaction,
        });
        before = after;
    }
    texts
}

fn file(name: &str, sql: &str) -> SqlFile {
    SqlFile {
        path: PathBuf::from(name),
        text: sql.to_owned(),
    }
}

/// Returns the SQL that reverts the last file; `None` if it cannot be proven by replay, or if the
/// step drops rows.
fn down(files: &[SqlFile], before: &Catalog, after: &Catalog, step: &Step) -> Option<String> {
    let differences = compare(before, after);
    if differences.is_empty() {
        let deletes = bowline_sql::first_word(&step.sql).is_some_and(|word| word.is_word("delete"));
        return Some(match deletes {
            true => "-- The rows that were deleted do not come back.\n".to_owned(),
            false => "-- The rows keep what was written.\n".to_owned(),
        });
    }
    if drops_rows(&step.sql) {
        return None;
    }
    let renames = bowline_sql::statements(&step.sql).any(|it| inverse::renames(&it));
    let mut script = match renames {
        true => inverse::inverse(&step.sql)?,
        false => alter_script(before, after, &differences),
    };
    if !renames && makes_anew(&script) {
        return None;
    }
    if !step.in_transaction && bowline_sql::statements(&script).count() == 1 {
        script = script.replacen("DROP INDEX ", "DROP INDEX CONCURRENTLY ", 1);
    }
    if step.sql.contains(" ATTACH PARTITION ") {
        // With the index of a partitioned table go those of its partitions.
        let note = "-- Writers of a partition wait while its index is built again.";
        script = format!("{note}\n{script}");
    }
    let reverted = replay(files.iter().chain([&file("down", &script)]));
    let mut left = certain_differences(before, &reverted.catalog);
    // After two renames the texts over the object are unknown.
    left.retain(|difference| !(renames && difference.is_undecided));
    let is_proven = reverted.refusals.is_empty() && left.is_empty();
    is_proven.then_some(script)
}

/// Returns the differences that are certain. The text of a view over an object that was renamed is
/// unknown, on both sides.
fn certain_differences(left: &Catalog, right: &Catalog) -> Vec<Difference> {
    let mut differences = compare(left, right);
    differences.retain(|difference| !difference.is_unknown_on_both_sides());
    differences
}

/// Returns true if a script drops tables or sequences and creates others, which may be the same
/// ones under another name: their rows would be lost.
fn makes_anew(script: &str) -> bool {
    let has = |first: &str| {
        bowline_sql::statements(script).any(|statement| {
            let words: Vec<_> = statement.tokens().take(2).collect();
            let is_kind = |it: &bowline_sql::Token<'_>| it.is_one_of(&["table", "sequence"]);
            words.first().is_some_and(|it| it.is_word(first)) && words.get(1).is_some_and(is_kind)
        })
    };
    has("create") && has("drop")
}

/// Returns true if a step drops a column or table, which would come back without its values.
fn drops_rows(sql: &str) -> bool {
    bowline_sql::statements(sql).any(|statement| {
        let words: Vec<_> = statement.tokens().collect();
        let mut pairs = words.windows(2);
        pairs.any(|pair| pair[0].is_word("drop") && pair[1].is_one_of(&["column", "table"]))
    })
}

/// Fails unless the steps end at the schema of the statement, with the indexes that it lacks.
fn prove(
    texts: &[Texts],
    existing: &[Migration],
    statement: &SqlFile,
    indexes: &[Step],
) -> Result<(), CliError> {
    let files: Vec<SqlFile> = existing
        .iter()
        .map(|migration| migration.up.clone())
        .collect();
    let indexes = indexes.iter().map(|step| file("index", &step.sql));
    let indexes: Vec<SqlFile> = indexes.collect();
    let asked = replay(files.iter().chain([statement]).chain(&indexes));
    let steps: Vec<SqlFile> = texts
        .iter()
        .filter(|text| phase(&text.up) != "backfill")
        .map(|text| file(&text.name, &text.up))
        .collect();
    let mut made = None;
    replay_each(files.iter().chain(&steps), |_, catalog| {
        made = Some(catalog.clone());
    });
    let made = made.unwrap_or_default();
    let differences = certain_differences(&in_any_order(asked.catalog), &in_any_order(made));
    match differences.as_slice() {
        [] => Ok(()),
        differences => {
            let words: Vec<String> = differences
                .iter()
                .map(|difference| difference.sentence("the statement", "the steps"))
                .collect();
            Err(
                CliError::failed("the steps end at another schema than the statement")
                    .report(words.join("\n")),
            )
        }
    }
}

/// A column that takes another one's place is the last one.
fn in_any_order(mut catalog: Catalog) -> Catalog {
    for relation in catalog.relations.values_mut() {
        relation.columns.sort_by(|a, b| a.name.cmp(&b.name));
    }
    catalog
}

/// Returns a name of the words of a statement: `accounts_email_set_not_null`.
fn words(sql: &str) -> String {
    const LEFT_OUT: [&str; 9] = [
        "alter",
        "table",
        "column",
        "only",
        "if",
        "exists",
        "not",
        "concurrently",
        "on",
    ];
    const LONGEST: usize = 60;
    let mut name = String::new();
    let tokens: Vec<_> = bowline_sql::tokens(sql).collect();
    for (at, token) in tokens.iter().enumerate() {
        let Some(word) = token.name() else { continue };
        let is_not_null =
            word == "not" && tokens.get(at + 1).is_some_and(|next| next.is_word("null"));
        if LEFT_OUT.contains(&&*word) && !is_not_null {
            continue;
        }
        let word: String = word
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
            .collect();
        if name.len() + word.len() >= LONGEST {
            break;
        }
        if !name.is_empty() {
            name.push('_');
        }
        name.push_str(word.trim_matches('_'));
    }
    let name = name.trim_matches('_');
    match name.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        true => name.to_owned(),
        false => "change".to_owned(),
    }
}
