//! The functions that count, find out about and delete the rows with given values.

use bowline_plan::plan::{KeyColumn, TablePlan, article};

use super::super::super::layout::doc;
use super::super::sql;
use super::deletion::{deletion, soft_deletion};
use super::writes::{write_query, writing};
use super::{
    Emitted, bind_columns, column_arguments, column_words, condition, head, one_line, query,
    reading,
};

/// The rows that a function is about.
#[derive(Clone, Copy)]
pub(super) struct Which<'a> {
    pub(super) columns: &'a [KeyColumn],
    pub(super) index: &'a str,
    /// The predicate of a partial index.
    pub(super) predicate: Option<&'a str>,
}

impl Which<'_> {
    /// Returns the condition that a row is one of them.
    fn condition(self, table: &TablePlan) -> String {
        let mut conditions = vec![sql::condition(self.columns)];
        let predicate = self.predicate.map(condition);
        let is_kept = sql::is_kept(table).filter(|is_kept| predicate.as_ref() != Some(is_kept));
        conditions.extend(predicate);
        conditions.extend(is_kept);
        conditions.join(" AND ")
    }

    /// Returns the columns and the predicate for a sentence.
    fn words(self) -> String {
        let columns = column_words(self.columns);
        match self.predicate {
            Some(predicate) => format!("{columns} where `{}`", one_line(predicate)),
            None => columns,
        }
    }

    fn served(self) -> String {
        format!("\n\nServed by the index `{}`.", self.index)
    }
}

pub(super) fn count_by<'a>(table: &'a TablePlan, name: &'a str, which: Which<'_>) -> Emitted<'a> {
    let words = format!(
        "How many rows with this {} there are.{}",
        which.words(),
        which.served()
    );
    let sql = format!(
        "SELECT count(*) FROM {} WHERE {}",
        sql::name(table),
        which.condition(table)
    );
    Emitted {
        doc: doc(4, &words),
        head: head(name, column_arguments(which.columns), "bowline::Query<i64>"),
        constants: vec![reading(table, name, sql)],
        body: query(bind_columns(table, which.columns)),
    }
}

pub(super) fn exists_by<'a>(table: &'a TablePlan, name: &'a str, which: Which<'_>) -> Emitted<'a> {
    let words = format!(
        "Whether there is {} {} with this {}.{}",
        article(&table.noun),
        table.noun,
        which.words(),
        which.served()
    );
    let sql = format!(
        "SELECT EXISTS (SELECT FROM {} WHERE {})",
        sql::name(table),
        which.condition(table)
    );
    Emitted {
        doc: doc(4, &words),
        head: head(
            name,
            column_arguments(which.columns),
            "bowline::Query<bool>",
        ),
        constants: vec![reading(table, name, sql)],
        body: query(bind_columns(table, which.columns)),
    }
}

pub(super) fn delete_by<'a>(
    table: &'a TablePlan,
    name: &'a str,
    which: Which<'_>,
    is_unique: bool,
) -> Emitted<'a> {
    let columns = which.words();
    let (noun, result, output) = if is_unique {
        (
            table.noun.as_str(),
            "; `false` if there was none",
            "bowline::statement::WasWritten",
        )
    } else {
        (
            "rows",
            ", and returns how many there were",
            "bowline::statement::RowsAffected",
        )
    };
    let does = match &table.roles.deleted_at {
        None => format!("Deletes the {noun} with this {columns}"),
        Some(deleted_at) => {
            format!("Marks the {noun} with this {columns} as deleted, by {deleted_at}")
        }
    };
    let begin = match table.roles.deleted_at {
        None => deletion(table),
        Some(_) => soft_deletion(table),
    };
    let sql = format!("{begin} WHERE {}", which.condition(table));
    Emitted {
        doc: doc(4, &format!("{does}{result}.{}", which.served())),
        head: head(name, column_arguments(which.columns), &write_query(output)),
        constants: vec![writing(table, name, sql, &[])],
        body: query(bind_columns(table, which.columns)),
    }
}
