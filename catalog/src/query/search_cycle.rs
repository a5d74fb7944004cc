//! SEARCH and CYCLE: the columns that a recursive table gets beside its own (manual, section
//! 7.8.2).

use super::analyzer::{Analyzer, Result};
use super::fault::Fault;
use super::form::Form;
use super::raw::span_of;
use super::scope::{Common, TableColumn};
use super::types;
use crate::replay::syntax::tree::{child, child_name, name, tokens};
use squawk_syntax::{SyntaxKind as K, SyntaxNode};

impl Analyzer<'_> {
    /// Adds the columns that SEARCH and CYCLE compute (manual, section 7.8.2).
    pub(super) fn with_computed(
        &mut self,
        mut common: Common,
        table: &SyntaxNode,
    ) -> Result<Common> {
        let records = self.types.array_of(types::RECORD);
        let mut added = Vec::new();
        let own: Vec<String> = common.columns.iter().map(|it| it.name.clone()).collect();
        let mut new = New {
            own: &own,
            names: Vec::new(),
        };
        if let Some(search) = child(table, K::SEARCH_CLAUSE) {
            check_columns(&own, child(&search, K::SEARCH_COLUMNS), "search")?;
            new.add(
                child(&search, K::SEARCH_SET_COLUMN),
                "search sequence column",
            )?;
            let order = tokens(&search).nth(1);
            let is_breadth =
                order.is_some_and(|order| order.text().eq_ignore_ascii_case("breadth"));
            let ty = if is_breadth { types::RECORD } else { records };
            added.push((child_name(&search, K::SEARCH_SET_COLUMN), ty, false));
        }
        if let Some(cycle) = child(table, K::CYCLE_CLAUSE) {
            check_columns(&own, child(&cycle, K::CYCLE_COLUMNS), "cycle")?;
            new.add(child(&cycle, K::CYCLE_SET_COLUMN), "cycle mark column")?;
            new.add(child(&cycle, K::CYCLE_PATH), "cycle path column")?;
            let set = child(&cycle, K::CYCLE_SET_COLUMN);
            let column = set.as_ref().and_then(|set| set.children().next());
            let values = set.and_then(|set| child(&set, K::CYCLE_COLUMN_TO));
            let mark = match &values {
                Some(values) => {
                    let default = child(values, K::CYCLE_DEFAULT);
                    let default = default.and_then(|it| it.children().next());
                    let written: Vec<_> = values
                        .children()
                        .next()
                        .into_iter()
                        .chain(default)
                        .collect();
                    let mut marks = Vec::new();
                    for value in &written {
                        marks.push(self.value(value)?);
                    }
                    let ty = match self.common(&marks.iter().collect::<Vec<_>>(), "CYCLE")? {
                        types::UNKNOWN => types::TEXT,
                        ty => ty,
                    };
                    for mark in marks {
                        self.convert_to_common(mark, ty, "CYCLE")?;
                    }
                    ty
                }
                None => types::BOOL,
            };
            let is_nullable = values.is_some();
            added.push((column.map(|column| name(&column)), mark, is_nullable));
            added.push((child_name(&cycle, K::CYCLE_PATH), records, false));
        }
        common.has_computed = !added.is_empty();
        for (name, ty, nullable) in added {
            let name =
                name.ok_or_else(|| Fault::refused(span_of(table), "the query is incomplete"))?;
            common.columns.push(TableColumn {
                name,
                ty,
                nullable,
                origin: None,
                composite: None,
                form: Form::default(),
            });
        }
        Ok(common)
    }
}

/// The names of the columns that are added.
struct New<'a> {
    own: &'a [String],
    names: Vec<(&'static str, String)>,
}

impl New<'_> {
    fn add(&mut self, column: Option<SyntaxNode>, what: &'static str) -> Result<()> {
        let Some(column) = column else {
            return Ok(());
        };
        let wrong = |message| Err(Fault::error("42601", span_of(&column), message));
        let Some(given) = column.children().next().map(|it| name(&it)) else {
            return Ok(());
        };
        if self.own.contains(&given) {
            let message = format!("{what} name \"{given}\" already used in WITH query column list");
            return wrong(message);
        }
        if let Some((other, _)) = self.names.iter().find(|(_, known)| *known == given) {
            return wrong(format!("{other} name and {what} name are the same"));
        }
        self.names.push((what, given));
        Ok(())
    }
}

/// Fails for a column of SEARCH or CYCLE that the table does not have, or that is there twice.
fn check_columns(own: &[String], list: Option<SyntaxNode>, what: &str) -> Result<()> {
    let mut known: Vec<String> = Vec::new();
    for column in list.iter().flat_map(SyntaxNode::children) {
        let given = name(&column);
        let span = span_of(&column);
        if !own.contains(&given) {
            let message = format!("{what} column \"{given}\" not in WITH query column list");
            return Err(Fault::error("42601", span, message));
        }
        if known.contains(&given) {
            let message = format!("{what} column \"{given}\" specified more than once");
            return Err(Fault::error("42701", span, message));
        }
        known.push(given);
    }
    Ok(())
}
