//! FROM: tables, subqueries, functions and joins (parse_clause.c).

use std::rc::Rc;

use super::alias::{quoted, rename};
use super::join::{is_from_item, join_parts};
use squawk_syntax::{SyntaxKind as K, SyntaxNode};

use super::analyzer::{Analyzer, Result};
use super::expr::{Expr, Kind, Span, TableId};
use super::fault::Fault;
use super::raw::span_of;
use super::scope::{Item, Joined, StarColumn, Table, TableColumn};
use crate::replay::syntax::tree::{child, child_name, child_names, has, is_query, seen};

impl Analyzer<'_> {
    /// Reads the items of a FROM or USING clause, into the names of the current query.
    pub(super) fn read_from(&mut self, clause: &SyntaxNode) -> Result<Vec<TableId>> {
        let previous = self.scope().no_aggregate.replace(super::function::FROM);
        let joined = self.read_items(clause);
        self.scope().no_aggregate = previous;
        let joined = joined?;
        let tables = joined.tables.clone();
        let scope = self.scope();
        scope.items.extend(joined.items);
        scope.star.extend(joined.star);
        Ok(tables)
    }

    /// Reads the items of the FROM or USING clause of a statement that writes. They cannot read the
    /// table that it writes.
    pub(super) fn read_from_beside(
        &mut self,
        target: &Item,
        clause: &SyntaxNode,
    ) -> Result<Vec<TableId>> {
        let hidden = Item {
            is_forbidden: true,
            ..target.clone()
        };
        let scope = self.scope();
        let mut items = std::mem::take(&mut scope.items);
        let mut star = std::mem::take(&mut scope.star);
        scope.lateral.push(hidden);
        let tables = self.read_from(clause);
        let scope = self.scope();
        scope.lateral.pop();
        let read = Joined {
            items: scope.items.clone(),
            ..Joined::default()
        };
        items.append(&mut scope.items);
        star.append(&mut scope.star);
        (scope.items, scope.star) = (items, star);
        let written = Joined {
            items: vec![target.clone()],
            ..Joined::default()
        };
        let tables = tables?;
        self.check_names(&written, &read, &span_of(clause))?;
        Ok(tables)
    }

    pub(super) fn read_items(&mut self, clause: &SyntaxNode) -> Result<Joined> {
        let mut joined = Joined::default();
        for node in clause.children().filter(|part| is_from_item(part.kind())) {
            let before = self.scope().lateral.len();
            self.scope().lateral.extend(joined.items.iter().cloned());
            let item = self.read_item(&node);
            self.scope().lateral.truncate(before);
            let item = item?;
            self.check_names(&joined, &item, &span_of(&node))?;
            joined.add(item);
        }
        Ok(joined)
    }

    pub(super) fn check_names(&self, left: &Joined, right: &Joined, span: &Span) -> Result<()> {
        for item in right.items.iter().filter(|item| item.shows_alias) {
            let same = |other: &&Item| {
                other.shows_alias
                    && other.alias.is_some()
                    && other.alias == item.alias
                    && !(other.schema.is_some()
                        && item.schema.is_some()
                        && other.schema != item.schema)
            };
            if left.items.iter().any(|other| same(&other)) {
                let message = format!(
                    "table name \"{}\" specified more than once",
                    item.alias.as_deref().unwrap_or_default()
                );
                return Err(Fault::error("42712", span.clone(), message));
            }
        }
        Ok(())
    }

    pub(super) fn read_item(&mut self, node: &SyntaxNode) -> Result<Joined> {
        let span = span_of(node);
        self.enter(&span)?;
        let joined = self.read_item_inner(node, span);
        self.leave();
        joined
    }

    pub(super) fn read_item_inner(&mut self, node: &SyntaxNode, span: Span) -> Result<Joined> {
        match seen(node.kind()) {
            K::RELATION_FROM_ITEM => {
                if let Some(table) = self.keyword_table(node) {
                    let (keyword, table) = table;
                    return self.finish(node, Some(keyword), None, table);
                }
                let reference = child(node, K::RELATION_NAME_REF)
                    .ok_or_else(|| Fault::refused(span.clone(), "no table is named"))?;
                let (alias, schema, table) = self.relation(&reference, has(node, K::ONLY_KW))?;
                if let Some(sample) = child(node, K::TABLESAMPLE_CLAUSE) {
                    self.sample(&sample, &table)?;
                }
                self.finish(node, Some(alias), schema, table)
            }
            K::JOIN_EXPR => {
                let mut parts = Vec::new();
                join_parts(node, &mut parts);
                let mut parts = parts.into_iter().peekable();
                self.join_sequence(&mut parts, &span)
            }
            K::PAREN_FROM_ITEM => {
                let inner = node
                    .children()
                    .find(|part| part.kind() != K::FROM_ALIAS)
                    .ok_or_else(|| Fault::refused(span.clone(), "the query is incomplete"))?;
                if is_query(inner.kind())
                    || matches!(inner.kind(), K::INSERT | K::UPDATE | K::DELETE | K::MERGE)
                {
                    let previous = self.scope().is_lateral;
                    self.scope().is_lateral = has(node, K::LATERAL_KW);
                    let analyzed = self.query(&inner, false);
                    self.scope().is_lateral = previous;
                    let analyzed = analyzed?;
                    if child(node, K::FROM_ALIAS).is_none() {
                        self.since(16, "a subquery in FROM without an alias", &span)?;
                    }
                    let table = self.table_of(analyzed);
                    return self.finish(node, None, None, table);
                }
                let mut joined = self.read_item(&inner)?;
                if let Some(alias) = child(node, K::FROM_ALIAS) {
                    joined = self.aliased_join(joined, &alias)?;
                }
                Ok(joined)
            }
            K::PAREN_EXPR => {
                let inner = node
                    .children()
                    .next()
                    .ok_or_else(|| Fault::refused(span, "the query is incomplete"))?;
                self.read_item(&inner)
            }
            K::FUNCTION_FROM_ITEM | K::ROWS_FROM_ITEM => self.functions_item(node, span),
            K::JSON_TABLE_FROM_ITEM | K::XML_TABLE_FROM_ITEM => self.document_item(node, span),
            _ => Err(Fault::refused(span, "this item of FROM is not supported")),
        }
    }

    /// Returns a new table with the result of a query.
    pub(super) fn table_of(&mut self, analyzed: super::scope::Analyzed) -> Table {
        let depth = self.scopes.len().saturating_sub(1);
        let columns = analyzed.columns.into_iter();
        let columns = columns.map(|it| it.table_column()).collect();
        Table {
            is_single: analyzed.is_single,
            keys: analyzed.keys,
            has_row: analyzed.has_row,
            reach: analyzed.reach,
            ..Table::of_records(columns, depth)
        }
    }

    /// Adds a table under its alias.
    pub(super) fn finish(
        &mut self,
        node: &SyntaxNode,
        name: Option<String>,
        schema: Option<String>,
        mut table: Table,
    ) -> Result<Joined> {
        let alias = child(node, K::FROM_ALIAS);
        let given = alias
            .as_ref()
            .and_then(|alias| child_name(alias, K::TABLE_ALIAS));
        let has_alias = given.is_some();
        if let Some(alias) = &alias {
            let names = child(alias, K::COLUMN_LIST)
                .map(|list| child_names(&list, K::COLUMN_NAME))
                .unwrap_or_default();
            rename(
                &mut table.columns,
                &names,
                given.as_deref().unwrap_or_default(),
                &span_of(alias),
            )?;
        }
        let alias = given.or(name);
        Ok(self.item_of(alias, schema.filter(|_| !has_alias), table))
    }

    /// Returns an item of FROM with the columns of a table.
    pub(super) fn item_of(
        &mut self,
        alias: Option<String>,
        schema: Option<String>,
        table: Table,
    ) -> Joined {
        let id = self.add_table(Table {
            alias: alias.clone(),
            ..table
        });
        let value = |at: usize, column: &TableColumn| {
            Expr::new(
                column.ty,
                Kind::Var {
                    table: id,
                    column: at,
                },
                0..0,
            )
        };
        let shown = self.table(id).columns.iter().enumerate();
        let shown: Rc<[(String, Expr)]> = shown
            .map(|(at, column)| (column.name.clone(), value(at, column)))
            .collect();
        let star = shown.iter().map(|(name, value)| StarColumn {
            name: name.clone(),
            value: value.clone(),
            alias: alias.as_deref().map(quoted),
        });
        Joined {
            star: star.collect(),
            items: vec![Item {
                shows_alias: alias.is_some(),
                alias,
                schema,
                table: Some(id),
                columns: shown,
                shows_columns: true,
                is_forbidden: false,
            }],
            tables: vec![id],
        }
    }
}
