//! The expressions of the catalog, with the columns that each can name.

use crate::replay::state::State;
use crate::{ConstraintKind, DataType, Fill, IndexKey, Name, TypeKind};

/// The columns that an expression can name.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Columns<'a> {
    Nothing,
    /// Those of a table.
    Table(&'a Name),
    /// Those of `old` and `new` in the condition of a trigger on a table.
    OldAndNew(&'a Name),
    /// `VALUE`, of this type, in the check of a domain.
    Value(&'a DataType),
}

impl State {
    /// Changes each expression. Queries, the definitions of rules and the bodies of functions are
    /// left out.
    pub(crate) fn each_expression(&mut self, mut change: impl FnMut(Columns<'_>, &mut String)) {
        for overload in self.functions.values_mut().flatten() {
            let arguments = overload
                .routine
                .iter_mut()
                .flat_map(|own| &mut own.arguments);
            for text in arguments.filter_map(|argument| argument.default.as_mut()) {
                change(Columns::Nothing, text);
            }
        }
        for (name, relation) in &mut self.catalog.relations {
            for column in &mut relation.columns {
                if let Fill::Default(text)
                | Fill::Generated {
                    expression: text, ..
                } = &mut column.fill
                {
                    change(Columns::Table(name), text);
                }
            }
            for constraint in &mut relation.constraints {
                if let ConstraintKind::Check { expression, .. } = &mut constraint.kind {
                    change(Columns::Table(name), expression);
                }
            }
            for index in &mut relation.indexes {
                for key in &mut index.keys {
                    if let IndexKey::Expression { text, .. } = key {
                        change(Columns::Table(name), text);
                    }
                }
                if let Some(text) = &mut index.predicate {
                    change(Columns::Table(name), text);
                }
            }
            if let Some(text) = &mut relation.partition_by {
                change(Columns::Table(name), text);
            }
            for policy in &mut relation.attached.policies {
                let codes = [&mut policy.using, &mut policy.with_check];
                for text in codes
                    .into_iter()
                    .flatten()
                    .filter_map(|it| it.text.as_mut())
                {
                    change(Columns::Table(name), text);
                }
            }
            for trigger in &mut relation.attached.triggers {
                let condition = trigger.condition.iter_mut();
                for text in condition.filter_map(|it| it.text.as_mut()) {
                    change(Columns::OldAndNew(name), text);
                }
            }
        }
        for found in self.catalog.types.values_mut() {
            if let TypeKind::Domain {
                base,
                default,
                checks,
                ..
            } = &mut found.kind
            {
                if let Some(text) = default {
                    change(Columns::Nothing, text);
                }
                for check in checks {
                    if let ConstraintKind::Check { expression, .. } = &mut check.kind {
                        change(Columns::Value(base), expression);
                    }
                }
            }
        }
    }
}
