//! RETURNING.

use super::analyzer::{Analyzer, Result};
use super::locks::Reach;
use super::raw::span_of;
use super::scope::{Analyzed, Item};
use super::target::Target;
use crate::replay::syntax::tree::{child, child_name};
use squawk_syntax::{SyntaxKind as K, SyntaxNode};

impl Analyzer<'_> {
    pub(super) fn show(&mut self, item: &Item) {
        let alias = item.alias.as_deref().map(super::alias::quoted);
        let star = item
            .columns
            .iter()
            .map(|(name, value)| super::scope::StarColumn {
                name: name.clone(),
                value: value.clone(),
                alias: alias.clone(),
            });
        let star: Vec<_> = star.collect();
        let scope = self.scope();
        scope.items.push(item.clone());
        scope.star.extend(star);
    }

    /// Forgets the columns that WHERE showed to be not NULL in the old rows, since RETURNING reads
    /// the new ones.
    pub(super) fn restore(&mut self, target: &Target) -> Vec<bool> {
        let columns = &mut self.tables[target.table.0].columns;
        let narrowed = columns.iter().map(|column| column.nullable).collect();
        for (column, nullable) in columns.iter_mut().zip(&target.declared) {
            column.nullable = *nullable;
        }
        narrowed
    }

    pub(super) fn put_back(&mut self, target: &Target, narrowed: Vec<bool>) {
        let columns = &mut self.tables[target.table.0].columns;
        for (column, nullable) in columns.iter_mut().zip(narrowed) {
            column.nullable = nullable;
        }
    }

    /// Reads RETURNING. `rows` says whether there is at most one row, and whether there certainly
    /// is a row.
    pub(super) fn returning(
        &mut self,
        node: &SyntaxNode,
        items: Vec<Item>,
        target: Option<&Target>,
        rows: (bool, bool),
    ) -> Result<Analyzed> {
        let (is_single, has_row) = rows;
        let mut analyzed = Analyzed {
            keys: Default::default(),
            columns: Vec::new(),
            is_single,
            has_row,
            outer: Vec::new(),
            has_no_result: true,
            reach: Reach::default(),
        };
        let Some(clause) = child(node, K::RETURNING_CLAUSE) else {
            return Ok(analyzed);
        };
        analyzed.has_no_result = false;
        self.scope().items.clear();
        self.scope().star.clear();
        for item in &items {
            let shows = item.shows_columns;
            self.show(item);
            if !shows {
                let count = item.columns.len();
                let scope = self.scope();
                let length = scope.star.len() - count;
                scope.star.truncate(length);
            }
        }
        if let Some(target) = target {
            self.show_old_and_new(&clause, target, node.kind())?;
        }
        let Some(list) = child(&clause, K::TARGET_LIST) else {
            return Ok(analyzed);
        };
        let previous = self.scope().no_aggregate.replace("RETURNING");
        let outputs = self.targets(&list);
        self.scope().no_aggregate = previous;
        for mut output in outputs? {
            self.settle(&mut output)?;
            let (column, _) = self.result_column(output);
            analyzed.columns.push(column);
        }
        if self.scope().returns_set {
            analyzed.is_single = false;
            analyzed.has_row = false;
        }
        Ok(analyzed)
    }

    /// Adds `old` and `new` to the scope, from PostgreSQL 18 on.
    pub(super) fn show_old_and_new(
        &mut self,
        clause: &SyntaxNode,
        target: &Target,
        statement: K,
    ) -> Result<()> {
        let options = child(clause, K::RETURNING_OPTION_LIST);
        if let Some(options) = &options {
            self.since(18, "WITH of RETURNING", &span_of(options))?;
        }
        if self.is_before(18) {
            return Ok(());
        }
        for (word, kind) in [("old", K::RETURNING_OLD), ("new", K::RETURNING_NEW)] {
            let given = options
                .as_ref()
                .and_then(|options| child(options, kind))
                .and_then(|option| child_name(&option, K::TABLE_ALIAS));
            let alias = given.unwrap_or_else(|| word.to_owned());
            let shown = &self.scope().items;
            if shown.iter().any(|item| item.alias.as_ref() == Some(&alias)) {
                continue;
            }
            let mut table = self.table(target.table).clone();
            for (column, nullable) in table.columns.iter_mut().zip(&target.declared) {
                column.nullable = *nullable;
            }
            let is_missing = match statement {
                K::INSERT => word == "old",
                K::DELETE => word == "new",
                K::UPDATE => false,
                _ => true,
            };
            let is_conflict = word == "old" && statement == K::INSERT;
            if is_missing || is_conflict {
                self.joins += 1;
                table.nulled_by.push(self.joins);
            }
            let joined = self.item_of(Some(alias), None, table);
            for mut item in joined.items {
                item.shows_columns = false;
                self.scope().items.push(item);
            }
        }
        Ok(())
    }
}
