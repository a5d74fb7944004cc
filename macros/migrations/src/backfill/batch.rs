//! The SQL of one batch.

use super::Backfill;

/// A column of the primary key, by which the batches are made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyColumn {
    /// The name, quoted as SQL.
    pub name: String,
    /// The type, as SQL.
    pub data_type: String,
}

impl Backfill<'_> {
    /// Returns the statement for the rows after a position, and up to another one with its row.
    pub fn batch(&self, key: &[KeyColumn], after: Option<&[String]>, up_to: &[String]) -> String {
        let columns = row(key.iter().map(|column| self.column(column)));
        let to = format!("{columns} <= {}", values(key, up_to));
        let range = match after {
            Some(after) => format!("{columns} > {} AND {to}", values(key, after)),
            None => to,
        };
        match &self.condition {
            // A comment can end the condition, so that the parenthesis needs a line of its own.
            Some(condition) => format!(
                "{} {range} AND ({}\n)",
                &self.sql[..condition.start],
                &self.sql[condition.clone()]
            ),
            None => format!("{}\n WHERE {range}", self.sql),
        }
    }

    /// Returns the query for the end of the batch after a position: the number of its rows, and the
    /// last key as text. It has no row if there is no batch.
    pub fn boundary(&self, key: &[KeyColumn], after: Option<&[String]>) -> String {
        let names = |suffix: &str| {
            let names: Vec<String> = key
                .iter()
                .map(|column| format!("b.{}{suffix}", column.name))
                .collect();
            names.join(", ")
        };
        let condition = after.map_or_else(String::new, |after| {
            let columns = row(key.iter().map(|column| format!("b.{}", column.name)));
            format!("WHERE {columns} > {}", values(key, after))
        });
        format!(
            "SELECT pg_catalog.count(*) OVER (), {} FROM (SELECT {} FROM {} b {condition} ORDER BY {} LIMIT {}) b ORDER BY {} LIMIT 1",
            names("::pg_catalog.text"),
            names(""),
            self.table,
            names(""),
            self.rows,
            names(" DESC"),
        )
    }

    fn column(&self, column: &KeyColumn) -> String {
        format!("{}.{}", self.target, column.name)
    }
}

fn values(key: &[KeyColumn], values: &[String]) -> String {
    let values = key.iter().zip(values);
    row(values.map(|(column, value)| {
        format!(
            "{}::{}",
            bowline_sql::quote::literal(value),
            column.data_type
        )
    }))
}

/// Returns a row of several values, or the only value.
fn row(values: impl Iterator<Item = String>) -> String {
    let values: Vec<String> = values.collect();
    match values.as_slice() {
        [only] => only.clone(),
        several => format!("ROW({})", several.join(", ")),
    }
}
