//! ON CONFLICT.

use super::analyzer::{Analyzer, Result};
use super::expr::{Kind, Span};
use super::fault::Fault;
use super::raw::span_of;
use super::target::Target;
use crate::RelationKind;
use crate::attached::Event;
use crate::replay::syntax::tree::{child, child_name, children};
use squawk_syntax::{SyntaxKind as K, SyntaxNode};

impl Analyzer<'_> {
    /// Reads ON CONFLICT. Returns true if a row is certainly returned.
    pub(super) fn conflict(&mut self, clause: &SyntaxNode, target: &Target) -> Result<bool> {
        if let Some(index) = child(clause, K::CONFLICT_ON_INDEX) {
            let list = child(&index, K::CONFLICT_INDEX_ITEM_LIST);
            let mut columns = Some(Vec::new());
            for item in list
                .iter()
                .flat_map(|list| children(list, K::CONFLICT_INDEX_ITEM))
            {
                let Some(value) = item.children().next() else {
                    continue;
                };
                let value = self.value(&value)?;
                match (&value.kind, &mut columns) {
                    (Kind::Var { column, .. }, Some(columns)) => columns.push(*column),
                    _ => columns = None,
                }
            }
            let condition =
                child(&index, K::WHERE_CLAUSE).or_else(|| child(clause, K::WHERE_CLAUSE));
            let has_condition = condition.is_some();
            if let Some(condition) = condition {
                let value = condition.children().next();
                if let Some(value) = value {
                    let value = self.value(&value)?;
                    self.boolean(value, "WHERE")?;
                }
            }
            if let Some(columns) = columns
                && !has_condition
            {
                self.check_arbiter(target, &columns, &span_of(&index))?;
            }
        }
        if let Some(constraint) = child(clause, K::CONFLICT_ON_CONSTRAINT)
            && let Some(wanted) = child_name(&constraint, K::CONSTRAINT_NAME_REF)
            && let Some(relation) = self.written(target)
            && !relation.constraints.iter().any(|it| it.name == wanted)
        {
            let message = format!(
                "constraint \"{wanted}\" for table \"{}\" does not exist",
                target.relation.name
            );
            return Err(Fault::error("42704", span_of(&constraint), message));
        }
        let Some(update) = child(clause, K::CONFLICT_DO_UPDATE_SET) else {
            return Ok(false);
        };
        let has_target = |part: SyntaxNode| {
            matches!(
                part.kind(),
                K::CONFLICT_ON_INDEX | K::CONFLICT_ON_CONSTRAINT
            )
        };
        if !clause.children().any(has_target) {
            let message =
                "ON CONFLICT DO UPDATE requires inference specification or constraint name";
            return Err(Fault::error("42601", span_of(clause), message)
                .hint("name its columns: ON CONFLICT (id) DO UPDATE"));
        }
        let table = self.table(target.table).clone();
        let joined = self.item_of(Some("excluded".to_owned()), None, table);
        self.scope().items.extend(joined.items);
        if let Some(set) = child(&update, K::SET_CLAUSE) {
            self.set_clause(&set, target)?;
        }
        if let Some(condition) = child(&update, K::WHERE_CLAUSE) {
            let value = condition.children().next();
            if let Some(value) = value {
                let value = self.value(&value)?;
                self.boolean(value, "WHERE")?;
            }
            return Ok(false);
        }
        Ok(!self.may_suppress(target, &Event::Update))
    }

    /// Fails if no unique index fits the columns of ON CONFLICT.
    pub(super) fn check_arbiter(
        &self,
        target: &Target,
        columns: &[usize],
        span: &Span,
    ) -> Result<()> {
        let Some(relation) = self.written(target) else {
            return Ok(());
        };
        let table = self.table(target.table);
        let mut wanted: Vec<&String> = columns.iter().map(|at| &table.columns[*at].name).collect();
        wanted.sort();
        wanted.dedup();
        let fits = relation.indexes.iter().any(|index| {
            let mut names: Vec<String> = index.plain_columns().unwrap_or_default();
            names.sort();
            index.unique && index.predicate.is_none() && names.iter().eq(wanted.iter().copied())
        });
        if fits || relation.kind == RelationKind::View {
            return Ok(());
        }
        let message =
            "there is no unique or exclusion constraint matching the ON CONFLICT specification";
        Err(Fault::error("42P10", span.clone(), message)
            .hint("create a unique index on these columns"))
    }
}
