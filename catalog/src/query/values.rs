//! VALUES and TABLE.

use std::rc::Rc;

use super::analyzer::{Analyzer, Result};
use super::composite::Replaced;
use super::expr::{Expr, Kind};
use super::fault::Fault;
use super::locks::check_values;
use super::raw::span_of;
use super::scope::{Analyzed, Output, ResultColumn};
use super::types;
use crate::replay::syntax::tree::{child, children, has, text};
use squawk_syntax::{SyntaxKind as K, SyntaxNode};

impl Analyzer<'_> {
    pub(super) fn values(&mut self, node: &SyntaxNode) -> Result<Analyzed> {
        let mut rows = self.value_rows(node)?;
        let width = rows.first().map_or(0, Vec::len);
        for at in 0..width {
            let column: Vec<&Expr> = rows.iter().map(|row| &row[at]).collect();
            let common = self.common(&column, "VALUES")?;
            for row in &mut rows {
                let value = row[at].clone();
                row[at] = self.convert_to_common(value, common, "VALUES")?;
            }
        }
        let count = rows.len();
        let mut columns = Vec::new();
        for at in 0..width {
            let nullable = self.objects.is_none() && rows.iter().any(|row| self.nullable(&row[at]));
            let column: Vec<Expr> = rows.iter().map(|row| row[at].clone()).collect();
            let form = self.form_of_all(column[0].ty, &column);
            let value = rows[0][at].clone();
            let origin = if count == 1 {
                self.origin(&value)
            } else {
                None
            };
            columns.push(ResultColumn {
                name: format!("column{}", at + 1),
                ty: value.ty,
                nullable,
                origin,
                open: None,
                composite: None,
                span: value.span,
                form,
            });
        }
        self.order_results(node, &columns)?;
        let limit = self.limit(node)?;
        check_values(node)?;
        let reach = self.reach_of(node, &[], None, &[]);
        let (mut is_single, mut has_row) = (count == 1, count > 0);
        limit.apply(&mut is_single, &mut has_row);
        Ok(Analyzed {
            columns,
            is_single,
            keys: Rc::default(),
            has_row,
            outer: Vec::new(),
            has_no_result: false,
            reach,
        })
    }

    /// Returns the rows of VALUES, whose types are still open.
    pub(super) fn value_rows(&mut self, node: &SyntaxNode) -> Result<Vec<Vec<Expr>>> {
        let mut rows: Vec<Vec<Expr>> = Vec::new();
        self.each_row(node, false, &mut |_, row| {
            rows.push(row);
            Ok(())
        })?;
        Ok(rows)
    }

    /// Calls a function with each row of VALUES, before the next one is read.
    pub(super) fn each_row(
        &mut self,
        node: &SyntaxNode,
        is_insert: bool,
        each: &mut dyn FnMut(&mut Self, Vec<Expr>) -> Result<()>,
    ) -> Result<()> {
        let list = child(node, K::ROW_LIST);
        let rows = list.iter().flat_map(|list| children(list, K::ROW)).count();
        self.scope().is_single_row = is_insert && rows == 1;
        let previous = self.scope().no_aggregate.replace("VALUES");
        let done = self.each_row_inner(node, each);
        self.scope().no_aggregate = previous;
        done
    }

    pub(super) fn each_row_inner(
        &mut self,
        node: &SyntaxNode,
        each: &mut dyn FnMut(&mut Self, Vec<Expr>) -> Result<()>,
    ) -> Result<()> {
        let mut width = None;
        let list = child(node, K::ROW_LIST);
        for row in list.iter().flat_map(|list| children(list, K::ROW)) {
            let mut values = Vec::new();
            for value in row.children() {
                if value.kind() == K::LITERAL && text(&value).eq_ignore_ascii_case("default") {
                    let span = span_of(&value);
                    values.push(Expr::new(types::UNKNOWN, Kind::Default, span));
                } else {
                    values.push(self.value(&value)?);
                }
            }
            if *width.get_or_insert(values.len()) != values.len() {
                let message = "VALUES lists must all be the same length";
                return Err(Fault::error("42601", span_of(&row), message));
            }
            each(self, values)?;
        }
        Ok(())
    }

    pub(super) fn whole_table(&mut self, node: &SyntaxNode) -> Result<Analyzed> {
        let parts = node.children().filter(|it| it.kind() != K::WITH_CLAUSE);
        let reference = parts
            .flat_map(|part| part.descendants())
            .find(|part| part.kind() == K::RELATION_NAME_REF)
            .ok_or_else(|| Fault::refused(span_of(node), "no table is named"))?;
        let (alias, schema, table) = self.relation(&reference, has(node, K::ONLY_KW))?;
        let joined = self.item_of(Some(alias), schema, table);
        let depth = self.scopes.len() - 1;
        let mut columns = Vec::new();
        for column in &joined.star {
            self.use_column(column.value.clone(), depth);
            let output = Output {
                name: column.name.clone(),
                value: column.value.clone(),
                of_star: None,
                end: None,
            };
            columns.push(self.result_column(output).0);
        }
        let names: Vec<String> = columns
            .iter()
            .map(|column| super::alias::quoted(&column.name))
            .collect();
        // `TABLE t` is `SELECT .. FROM t`.
        if let Some(word) =
            crate::replay::syntax::tree::tokens(node).find(|token| token.kind() == K::TABLE_KW)
        {
            let range = word.text_range();
            let span = range.start().into()..range.end().into();
            self.edits.push(Replaced {
                span,
                pieces: vec![format!("SELECT {} FROM", names.join(", "))],
            });
        }
        self.order_results(node, &columns)?;
        let limit = self.limit(node)?;
        self.locks(node, &joined.tables, None)?;
        let values: Vec<Expr> = joined.star.iter().map(|it| it.value.clone()).collect();
        let reach = self.reach_of(node, &joined.tables, None, &values);
        let (mut is_single, mut has_row) = (false, false);
        limit.apply(&mut is_single, &mut has_row);
        Ok(Analyzed {
            columns,
            is_single,
            keys: Rc::default(),
            has_row,
            outer: Vec::new(),
            has_no_result: false,
            reach,
        })
    }
}
