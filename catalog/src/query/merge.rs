//! MERGE.

use super::analyzer::{Analyzer, Result};
use super::expr::TableId;
use super::fault::Fault;
use super::grammar::merge_actions;
use super::join::{Part, join_parts};
use super::raw::span_of;
use super::scope::{Analyzed, Item};
use super::target::Target;
use super::target::is_overriding;
use crate::replay::syntax::tree::{child, child_name};
use squawk_syntax::{SyntaxKind as K, SyntaxNode};

impl Analyzer<'_> {
    pub(super) fn merge_statement(&mut self, node: &SyntaxNode) -> Result<Analyzed> {
        merge_actions(node)?;
        let (target, item) = self.target(node)?;
        let is_unfit = |it: &crate::Relation| {
            matches!(
                it.kind,
                crate::RelationKind::MaterializedView | crate::RelationKind::ForeignTable
            )
        };
        if self.written(&target).is_some_and(is_unfit) {
            let message = format!(
                "cannot execute MERGE on relation \"{}\"",
                target.relation.name
            );
            return Err(Fault::error("0A000", span_of(node), message));
        }
        let is_view = |it: &crate::Relation| it.kind == crate::RelationKind::View;
        if self.written(&target).is_some_and(is_view) && self.is_before(17) {
            return Err(self.too_new("0A000", "MERGE into a view", 17, &span_of(node)));
        }
        let using = child(node, K::USING_ON_CLAUSE)
            .ok_or_else(|| Fault::refused(span_of(node), "the query is incomplete"))?;
        let source_tables = self.read_from(&using)?;
        check_source(&using, &item, &self.scope().items)?;
        let mut source = std::mem::take(&mut self.scope().items);
        let source_star = std::mem::take(&mut self.scope().star);
        self.show(&item);
        self.scope().items.extend(source.iter().cloned());
        self.scope().star.extend(source_star.iter().cloned());
        if let Some(condition) = child(&using, K::ON_CLAUSE)
            && let Some(value) = condition.children().next()
        {
            // PostgreSQL does not check that it is boolean.
            let previous = self.scope().no_aggregate.replace("JOIN conditions");
            let value = self.value(&value);
            self.scope().no_aggregate = previous;
            value?;
        }
        let analyzed = self.merge_returning(node, &source_tables, (&source, &item), &target)?;
        // In the actions PostgreSQL finds a common column of `USING (..) AS alias` twice: in the
        // join, and under the alias.
        let alias = using.children().next().and_then(|it| using_alias(&it));
        if let Some(last) = source.last_mut().filter(|_| alias.is_some()) {
            last.shows_columns = true;
        }
        for when in node.children() {
            let kind = when.kind();
            if kind == K::MERGE_WHEN_NOT_MATCHED_SOURCE {
                self.since(17, "WHEN NOT MATCHED BY SOURCE", &span_of(&when))?;
            }
            let shown = match kind {
                K::MERGE_WHEN_MATCHED => (true, true),
                K::MERGE_WHEN_NOT_MATCHED_SOURCE => (true, false),
                K::MERGE_WHEN_NOT_MATCHED_TARGET => (false, true),
                _ => continue,
            };
            self.scope().items.clear();
            self.scope().star.clear();
            let (shows_target, shows_source) = shown;
            if shows_target {
                self.show(&item);
            }
            if shows_source {
                self.scope().items.extend(source.iter().cloned());
                self.scope().star.extend(source_star.iter().cloned());
            }
            self.merge_action(&when, &target)?;
        }
        Ok(analyzed)
    }

    /// Reads RETURNING, which PostgreSQL does before the actions.
    fn merge_returning(
        &mut self,
        node: &SyntaxNode,
        source_tables: &[TableId],
        (source, item): (&[Item], &Item),
        target: &Target,
    ) -> Result<Analyzed> {
        if let Some(returning) = child(node, K::RETURNING_CLAUSE) {
            self.since(17, "RETURNING of MERGE", &span_of(&returning))?;
        }
        // A row without a match has NULLs on the other side.
        self.joins += 1;
        let joins = self.joins;
        for table in source_tables {
            self.tables[table.0].nulled_by.push(joins);
        }
        // RETURNING of MERGE lists the columns of the source first.
        let mut items = source.to_vec();
        items.push(item.clone());
        self.scope().returns_of_merge = true;
        let narrowed = self.restore(target);
        let analyzed = self.returning(node, items, Some(target), (false, false));
        self.put_back(target, narrowed);
        self.scope().returns_of_merge = false;
        for table in source_tables {
            self.tables[table.0].nulled_by.pop();
        }
        analyzed
    }

    pub(super) fn merge_action(&mut self, when: &SyntaxNode, target: &Target) -> Result<()> {
        if let Some(condition) = child(when, K::MERGE_CONDITION)
            && let Some(value) = condition.children().next()
        {
            let previous = self.scope().no_aggregate.replace("MERGE WHEN conditions");
            let value = self.value(&value);
            self.scope().no_aggregate = previous;
            self.boolean(value?, "MERGE WHEN AND")?;
        }
        if let Some(update) = child(when, K::MERGE_UPDATE)
            && let Some(set) = child(&update, K::SET_CLAUSE)
        {
            self.set_clause(&set, target)?;
        }
        if let Some(insert) = child(when, K::MERGE_INSERT) {
            let columns = self.insert_columns(&insert, target)?;
            if let Some(values) = child(&insert, K::VALUES) {
                let target = Target {
                    relation: target.relation.clone(),
                    declared: Vec::new(),
                    overriding: Some(is_overriding(&insert)),
                    ..*target
                };
                let mut given = 0;
                self.each_row(&values, true, &mut |analyzer, row| {
                    given = row.len();
                    analyzer.assign_row(&target, &columns, row, &span_of(&values))
                })?;
                self.note_omitted(&insert, &target, &columns[..given.min(columns.len())]);
            }
        }
        Ok(())
    }
}

/// Fails if the source of a MERGE has the name of its target.
fn check_source(using: &SyntaxNode, target: &Item, source: &[Item]) -> Result<()> {
    // A join without an alias has no name of its own.
    if let [only] = source
        && let Some(alias) = &only.alias
        && Some(alias) == target.alias.as_ref()
    {
        let message = format!("name \"{alias}\" specified more than once");
        return Err(Fault::error("42712", span_of(using), message)
            .hint("the target has this name too: give one of them an alias"));
    }
    Ok(())
}

/// Returns the alias of the common columns of a join.
fn using_alias(source: &SyntaxNode) -> Option<String> {
    let source = unwrapped_item(source);
    let mut parts = Vec::new();
    join_parts(&source, &mut parts);
    match parts.last()? {
        Part::Condition(clause) => {
            child(clause, K::REQUIRED_AS_ALIAS).and_then(|alias| child_name(&alias, K::TABLE_ALIAS))
        }
        _ => None,
    }
}

/// Returns an item of FROM without the parentheses around it.
fn unwrapped_item(item: &SyntaxNode) -> SyntaxNode {
    let inner = (item.kind() == K::PAREN_FROM_ITEM).then(|| item.children().next());
    match inner.flatten() {
        Some(inner) => unwrapped_item(&inner),
        None => item.clone(),
    }
}
