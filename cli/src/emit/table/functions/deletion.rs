//! The functions that delete rows, or mark them as deleted.

use bowline_catalog::definition::quoted;

use bowline_plan::plan::TablePlan;

use super::super::super::layout::doc;
use super::super::sql;
use super::writes::{set_by_change, write_query, writing};
use super::{Emitted, bind_columns, column_arguments, head, key_columns, query};

/// Returns the function that deletes a row, or marks it as deleted.
pub(super) fn delete(table: &TablePlan) -> Emitted<'_> {
    let Some(deleted_at) = &table.roles.deleted_at else {
        let words = format!("Deletes the {}; `false` if there was none.", table.noun);
        return by_key(table, "delete", &words, &deletion(table), "");
    };
    let words = format!(
        "Marks the {} as deleted, by its {deleted_at}; `false` if there was none.",
        table.noun
    );
    let is_kept = format!(" AND {} IS NULL", quoted(deleted_at));
    by_key(table, "delete", &words, &soft_deletion(table), &is_kept)
}

/// Returns the update that marks rows as deleted.
pub(super) fn soft_deletion(table: &TablePlan) -> String {
    let deleted_at = table.roles.deleted_at.as_deref().unwrap_or_default();
    format!(
        "UPDATE {} SET {} = now(){}",
        sql::name(table),
        quoted(deleted_at),
        set_by_change(table, &quoted(&table.name.name))
    )
}

/// Returns the function that deletes a row, marked or not.
pub(super) fn delete_permanently(table: &TablePlan) -> Emitted<'_> {
    let words = format!(
        "Deletes the {} itself, marked as deleted or not; `false` if there was none.",
        table.noun
    );
    by_key(table, "delete_permanently", &words, &deletion(table), "")
}

/// Returns the function that removes the mark of a deleted row.
pub(super) fn restore(table: &TablePlan) -> Emitted<'_> {
    let words = format!(
        "Makes a deleted {} exist again; `false` if there was none.",
        table.noun
    );
    let deleted_at = table.roles.deleted_at.as_deref().unwrap_or_default();
    let deleted_at = quoted(deleted_at);
    let sql = format!(
        "UPDATE {} SET {deleted_at} = NULL{}",
        sql::name(table),
        set_by_change(table, &quoted(&table.name.name))
    );
    by_key(
        table,
        "restore",
        &words,
        &sql,
        &format!(" AND {deleted_at} IS NOT NULL"),
    )
}

/// Returns the beginning of a DELETE.
pub(super) fn deletion(table: &TablePlan) -> String {
    format!("DELETE FROM {}", sql::name(table))
}

/// Returns a function that runs a statement on the row with a key, and returns whether there was
/// one.
fn by_key<'a>(
    table: &'a TablePlan,
    name: &'a str,
    words: &str,
    statement: &str,
    more: &str,
) -> Emitted<'a> {
    let key = key_columns(table);
    let sql = format!("{statement} WHERE {}{more}", sql::condition(&key));
    let output = write_query("bowline::statement::WasWritten");
    Emitted {
        doc: doc(4, words),
        head: head(name, column_arguments(&key), &output),
        constants: vec![writing(table, name, sql, &[])],
        body: query(bind_columns(table, &key)),
    }
}
