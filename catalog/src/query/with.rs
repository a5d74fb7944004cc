//! WITH: common table expressions.

use super::analyzer::{Analyzer, Result};
use super::expr::Span;
use super::fault::Fault;
use super::raw::span_of;
use super::recursion::reads;
use super::scope::{Analyzed, Common, ResultColumn};
use super::with_clause::is_at_top;
use crate::replay::syntax::tree::{
    child, child_name, child_names, children, has, is_of_rows, is_query,
};
use squawk_syntax::{SyntaxKind as K, SyntaxNode};

impl Analyzer<'_> {
    /// Reads the common table expressions of a WITH clause.
    pub(super) fn with(&mut self, with: &SyntaxNode) -> Result<()> {
        let is_recursive = has(with, K::RECURSIVE_KW);
        let mut tables: Vec<(String, SyntaxNode)> = Vec::new();
        for table in children(with, K::WITH_TABLE) {
            let named = child_name(&table, K::CTE_NAME).unwrap_or_default();
            if tables.iter().any(|(known, _)| *known == named) {
                let message = format!("WITH query name \"{named}\" specified more than once");
                return Err(Fault::error("42712", span_of(&table), message));
            }
            tables.push((named, table));
        }
        if is_recursive {
            tables = super::recursion::in_order(tables)?;
        }
        for (named, table) in tables {
            let given = child(&table, K::COLUMN_LIST)
                .map(|list| child_names(&list, K::COLUMN_NAME))
                .unwrap_or_default();
            let query = table
                .children()
                .find(|part| is_of_rows(part.kind()))
                .ok_or_else(|| Fault::refused(span_of(&table), "the query is incomplete"))?;
            let returns = child(&query, K::RETURNING_CLAUSE).is_some();
            if query.kind() == K::MERGE && !returns && self.is_before(17) {
                let what = "MERGE in WITH";
                return Err(self.too_new("0A000", what, 17, &span_of(&table)));
            }
            let computes = has(&table, K::SEARCH_CLAUSE) || has(&table, K::CYCLE_CLAUSE);
            let common = if is_recursive && reads(&query, &named) {
                let common = self.recursive(&query, &named, &given)?;
                self.with_computed(common, &table)?
            } else if computes {
                let message = "WITH query is not recursive";
                return Err(Fault::error("42601", span_of(&table), message));
            } else {
                let analyzed = self.query(&query, false)?;
                if !is_query(query.kind()) && self.objects.is_none() && !is_at_top(with) {
                    let message = "WITH clause containing a data-modifying statement must be at the top level";
                    return Err(Fault::error("0A000", span_of(&table), message)
                        .hint("move it to the WITH clause of the whole statement"));
                }
                self.common_of(analyzed, &named, &given, &span_of(&table))?
            };
            self.scope().common.push(common);
        }
        Ok(())
    }

    pub(super) fn common_of(
        &mut self,
        analyzed: Analyzed,
        named: &str,
        given: &[String],
        span: &Span,
    ) -> Result<Common> {
        let mut columns: Vec<_> = analyzed
            .columns
            .into_iter()
            .map(ResultColumn::table_column)
            .collect();
        super::alias::rename(&mut columns, given, named, span)?;
        Ok(Common {
            name: named.to_owned(),
            columns,
            is_single: analyzed.is_single,
            keys: analyzed.keys,
            has_row: analyzed.has_row,
            has_no_result: analyzed.has_no_result,
            is_self: false,
            has_computed: false,
        })
    }
}
