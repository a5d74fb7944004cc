//! The SQL of a graph: the query of its rows, with a subquery for each relation.

use bowline_sql::quote::identifier;

use super::{Graph, GraphField, TableRow};

/// The name of a row within the SQL of a graph.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct Alias(usize);

/// Which of many related rows a graph has.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// All, in the order of the key.
    All,
    /// The first ones in that order.
    First(u32),
    /// The last ones, the last of all first.
    Last(u32),
}

/// The SQL of a graph, as far as it is written.
#[doc(hidden)]
#[derive(Debug)]
pub struct GraphSql {
    sql: String,
    aliases: usize,
    /// The joins of the current subquery; `None` in the query of the rows that are loaded, which
    /// keeps its order because it joins nothing.
    joins: Option<String>,
}

/// The rows of the query that is loaded.
const ROOT: Alias = Alias(0);

/// Returns the query of graphs, from that of their rows.
///
/// The rows keep their order: the query around them has no join, order or grouping of its own, and
/// a LIMIT within is applied before the subqueries run.
pub(super) fn compose<G: Graph>(of_rows: &str) -> String {
    let mut sql = GraphSql {
        sql: "SELECT ".to_owned(),
        aliases: 1,
        joins: None,
    };
    G::select(&mut sql, ROOT);
    let columns = <G::Row as TableRow>::COLUMNS
        .iter()
        .map(|it| identifier(it));
    let columns = columns.collect::<Vec<_>>().join(", ");
    sql.sql
        .push_str(&format!(" FROM ({of_rows}) AS t0 ({columns})"));
    sql.sql
}

impl GraphSql {
    /// Adds the columns of a row.
    pub(super) fn row<R: TableRow>(&mut self, Alias(alias): Alias) {
        for (at, column) in R::COLUMNS.iter().enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            // The query that is loaded has the casts itself.
            let casts = if alias == 0 { &[] } else { R::CASTS };
            let cast = casts.get(at).copied().unwrap_or_default();
            self.sql
                .push_str(&format!("{comma}t{alias}.{}{cast}", identifier(column)));
        }
    }

    /// Adds a column with the related rows.
    ///
    /// At most one row is joined, so that PostgreSQL can choose how. The rows that are loaded join
    /// nothing: their number is not known when the plan is made, and an index is right for each.
    pub fn related<F>(
        &mut self,
        Alias(parent): Alias,
        field: &GraphField<F>,
        limit: Limit,
        by: Option<&str>,
    ) {
        let relation = &field.relation;
        let alias = self.aliases;
        self.aliases += 1;
        let from = filled(relation.from, parent, alias);
        let condition = filled(relation.condition, parent, alias);
        match &mut self.joins {
            Some(joins) if !field.is_array => {
                joins.push_str(&format!(" LEFT JOIN {from} ON {condition}"));
                let (open, close) = if field.is_optional {
                    (format!(", CASE WHEN {condition} THEN ROW("), ") END")
                } else {
                    (", ROW(".to_owned(), ")")
                };
                self.sql.push_str(&open);
                (field.select)(self, Alias(alias));
                self.sql.push_str(close);
            }
            _ => {
                let outside = self.joins.replace(String::new());
                let array = if field.is_array { "ARRAY" } else { "" };
                self.sql.push_str(&format!(", {array}(SELECT ROW("));
                (field.select)(self, Alias(alias));
                let joins = self.joins.take().unwrap_or_default();
                self.joins = outside;
                self.sql
                    .push_str(&format!(") FROM {from}{joins} WHERE {condition}"));
                if field.is_array {
                    self.sql.push_str(&order(relation.key, alias, limit, by));
                }
                self.sql.push(')');
            }
        }
    }
}

/// Returns the order of many rows, and their limit.
fn order(key: &[&str], alias: usize, limit: Limit, by: Option<&str>) -> String {
    let names = by
        .into_iter()
        .chain(key.iter().copied().filter(|key| Some(*key) != by));
    let (direction, rows) = match limit {
        Limit::All => ("", None),
        Limit::First(rows) => ("", Some(rows)),
        Limit::Last(rows) => (" DESC", Some(rows)),
    };
    let order: Vec<String> = names
        .map(|name| format!("t{alias}.{}{direction}", identifier(name)))
        .collect();
    let limit = rows.map_or(String::new(), |rows| format!(" LIMIT {rows}"));
    format!(" ORDER BY {}{limit}", order.join(", "))
}

/// Returns a template with the names of its rows.
fn filled(template: &str, parent: usize, alias: usize) -> String {
    let mut sql = String::with_capacity(template.len() + 8);
    let mut rest = template;
    while let Some(brace) = rest.find(['{', '}']) {
        sql.push_str(&rest[..brace]);
        rest = &rest[brace..];
        let name = match rest.get(..3) {
            Some("{t}") => Some(format!("t{alias}")),
            Some("{p}") => Some(format!("t{parent}")),
            Some("{j}") => Some(format!("j{alias}")),
            _ => None,
        };
        let length = if let Some(name) = name {
            sql.push_str(&name);
            3
        } else {
            // A brace of a name is written twice.
            sql.push_str(&rest[..1]);
            2.min(rest.len())
        };
        rest = &rest[length..];
    }
    sql + rest
}
