//! A change of rows in batches: one statement over a large table keeps the locks of all its rows
//! until it ends, and a failure loses its work.

use super::SafeForm;
use crate::lint::Input;
use crate::lint::rewrite::{self, Step};
use crate::query::Checker;
use crate::replay::replay;
use crate::{Name, RelationKind};
use bowline_migrations::SqlFile;

/// Returns the form of a statement that changes rows; `None` for others, and for an INSERT, which
/// locks no row of another program.
pub(super) fn form(migrations: &[Input<'_>], statement: &SqlFile) -> Option<SafeForm> {
    let first = bowline_sql::first_word(&statement.text)?;
    let changes = first.is_one_of(&["update", "delete", "merge"])
        || first.is_word("with")
            && bowline_sql::tokens(&statement.text)
                .any(|token| token.is_one_of(&["update", "delete", "merge"]));
    if !changes {
        return None;
    }
    let sql = rewrite::statement(&statement.text);
    Some(match refusal(migrations, &sql) {
        Some(why) => SafeForm::NoBatches(why),
        None => SafeForm::Steps {
            why: Vec::new(),
            steps: vec![Step::alone(format!("-- bowline: backfill\n{sql}"))],
            advice: Vec::new(),
        },
    })
}

/// Returns the reason why a change cannot be made in batches.
fn refusal(migrations: &[Input<'_>], sql: &str) -> Option<String> {
    let text = format!("-- bowline: backfill\n{sql}");
    if let Err(wrong) = bowline_migrations::backfills(&text, false) {
        return Some(format!("{}: {}", wrong.message, wrong.hint));
    }
    let files = migrations.iter().map(|migration| migration.up);
    let catalog = replay(files).catalog;
    let query = match Checker::new(&catalog).check(sql) {
        Ok(query) => query,
        Err(fault) => return Some(fault.message),
    };
    let mut written = query.writes.iter();
    let (Some(table), None) = (written.next(), written.next()) else {
        return Some("it writes to several tables: write one statement for each".to_owned());
    };
    let relation = catalog.relations.get(table)?;
    let name = rewrite::relation(table);
    if relation.kind == RelationKind::View {
        return Some(format!(
            "{name} is a view: name its table, by whose primary key the batches are made"
        ));
    }
    let Some(key) = relation.primary_key() else {
        return Some(rewrite::no_key(&name));
    };
    let changed = key
        .iter()
        .find(|column| query.assigns.contains(&(table.clone(), (*column).clone())));
    if let Some(column) = changed {
        return Some(format!(
            "it changes {column}, a column of the primary key, so a row could be in two batches or in none"
        ));
    }
    reads_itself(sql, table).then(|| {
        format!(
            "it reads {name} beside the row that it changes, so a batch would read what an earlier one has written: write what it reads to another table first"
        )
    })
}

/// Returns true if the table stands in a FROM, USING or JOIN, after its place as the target.
fn reads_itself(sql: &str, table: &Name) -> bool {
    let tokens: Vec<_> = bowline_sql::tokens(sql).collect();
    // The place of the target: UPDATE t, DELETE FROM t.
    let target = tokens
        .iter()
        .position(|token| token.is_name(&table.name))
        .unwrap_or_default();
    let mut in_from = false;
    let mut is_next = false;
    for token in &tokens[target + 1..] {
        if token.is_one_of(&["from", "using", "join"]) {
            (in_from, is_next) = (true, true);
        } else if token.is_one_of(&["set", "where", "on", "group", "order"]) {
            (in_from, is_next) = (false, false);
        } else if token.is(",") {
            is_next = in_from;
        } else if is_next && token.is_name(&table.name) {
            return true;
        } else if !token.is(".") && !token.is_word("only") && !token.is_name(&table.schema) {
            is_next = false;
        }
    }
    false
}
