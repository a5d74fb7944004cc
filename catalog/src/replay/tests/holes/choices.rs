//! Chooses the subject of a statement: a table that has the part to change, or two tables that fit
//! each other.

use super::{Filler, Known, is_table};
use crate::definition::quoted;
use crate::{Column, ConstraintKind, Fill, Name, Relation, TypeKind};

impl<'a> Filler<'a> {
    pub(super) fn relations(&self, is_wanted: impl Fn(&Relation) -> bool) -> Vec<&'a Relation> {
        let state = self.state;
        let all = state.catalog().relations.values();
        all.filter(|relation| is_wanted(relation)).collect()
    }

    /// Returns the name of one of these, and makes it the subject of the statement.
    pub(super) fn about(&mut self, choices: &[&'a Relation]) -> String {
        let Some(chosen) = self.one_of(choices) else {
            return "missing".to_owned();
        };
        self.table = Some(chosen);
        self.columns = chosen.columns.iter().map(Known::of).collect();
        self.written(&chosen.name)
    }

    /// Returns the name of a table, one part of which `{its}` stands for.
    pub(super) fn about_with(&mut self, items: impl Fn(&Relation) -> Vec<String>) -> String {
        let choices: Vec<(&'a Relation, String)> = self
            .relations(is_table)
            .into_iter()
            .flat_map(|table| items(table).into_iter().map(move |item| (table, item)))
            .collect();
        let Some((table, item)) = self.one_of(&choices) else {
            return "missing".to_owned();
        };
        self.its = quoted(&item);
        self.about(&[table])
    }

    /// Returns the name of one of two related tables; `{its}` is the other.
    pub(super) fn about_pair(&mut self, pairs: &[(&'a Relation, &'a Relation)]) -> String {
        let Some((one, other)) = self.one_of(pairs) else {
            return "missing".to_owned();
        };
        self.its = self.written(&other.name);
        self.about(&[one])
    }

    pub(super) fn pairs(
        &self,
        are_wanted: impl Fn(&Relation, &Relation) -> bool,
    ) -> Vec<(&'a Relation, &'a Relation)> {
        let tables = self.relations(is_table);
        let pairs = tables
            .iter()
            .flat_map(|one| tables.iter().map(move |other| (*one, *other)));
        pairs
            .filter(|(one, other)| one.name != other.name && are_wanted(one, other))
            .collect()
    }

    pub(super) fn types(&self, is_wanted: impl Fn(&TypeKind) -> bool) -> Vec<&'a crate::Type> {
        let state = self.state;
        let all = state.catalog().types.values();
        all.filter(|found| is_wanted(&found.kind)).collect()
    }

    pub(super) fn type_of(&mut self, is_wanted: impl Fn(&TypeKind) -> bool) -> String {
        let choices = self.types(is_wanted);
        let Some(chosen) = self.one_of(&choices) else {
            return "missing".to_owned();
        };
        let items: Vec<String> = match &chosen.kind {
            TypeKind::Enum { labels } => labels.clone(),
            TypeKind::Composite { attributes } => {
                self.columns = attributes
                    .iter()
                    .map(|attribute| Known {
                        name: attribute.name.clone(),
                        data_type: attribute.data_type.name.name.clone(),
                    })
                    .collect();
                attributes
                    .iter()
                    .map(|attribute| quoted(&attribute.name))
                    .collect()
            }
            TypeKind::Domain { checks, .. } => {
                checks.iter().map(|check| quoted(&check.name)).collect()
            }
            _ => Vec::new(),
        };
        self.its = self.one_of(&items).unwrap_or_else(|| "missing".to_owned());
        self.written(&chosen.name)
    }

    pub(super) fn names_of_table(&mut self, kind: &str) -> String {
        let of_constraints = |is_wanted: fn(&ConstraintKind) -> bool| {
            move |table: &Relation| {
                let constraints = table.constraints.iter();
                let wanted = constraints.filter(|constraint| is_wanted(&constraint.kind));
                wanted.map(|constraint| constraint.name.clone()).collect()
            }
        };
        let of_columns = |is_wanted: fn(&Column) -> bool| {
            move |table: &Relation| {
                let columns = table.columns.iter().filter(|column| is_wanted(column));
                columns.map(|column| column.name.clone()).collect()
            }
        };
        use ConstraintKind as C;
        match kind {
            "constraint" => self.about_with(of_constraints(|_| true)),
            "check" => self.about_with(of_constraints(|kind| matches!(kind, C::Check { .. }))),
            "foreign" => {
                self.about_with(of_constraints(|kind| matches!(kind, C::ForeignKey { .. })))
            }
            "key" => self.about_with(of_constraints(ConstraintKind::has_index)),
            "identity" => self.about_with(of_columns(|c| matches!(c.fill, Fill::Identity { .. }))),
            "serial" => self.about_with(of_columns(|c| matches!(c.fill, Fill::Serial { .. }))),
            "generated" => {
                self.about_with(of_columns(|c| matches!(c.fill, Fill::Generated { .. })))
            }
            "default" => self.about_with(of_columns(|c| matches!(c.fill, Fill::Default(_)))),
            "strict" => self.about_with(of_columns(|c| c.not_null)),
            "loose" => self.about_with(of_columns(|c| !c.not_null)),
            "bare" => self.about_with(of_columns(|c| c.not_null && c.fill == Fill::Nothing)),
            "not null" => {
                let state = self.state;
                self.about_with(|table| {
                    let names = state.not_null_constraints(&table.name);
                    names.map(|(_, name)| name.clone()).collect()
                })
            }
            "trigger" => self.about_with(|table| {
                let triggers = table.attached.triggers.iter();
                triggers.map(|trigger| trigger.name.clone()).collect()
            }),
            "policy" => self.about_with(|table| {
                let policies = table.attached.policies.iter();
                policies.map(|policy| policy.name.clone()).collect()
            }),
            "rule" => self.about_with(|table| {
                let rules = table.attached.rules.iter();
                rules.map(|rule| rule.name.clone()).collect()
            }),
            "unvalidated" => self.about_with(|table| {
                let open = table.constraints.iter().filter(|one| !one.validated);
                open.map(|one| one.name.clone()).collect()
            }),
            "unique index" => self.about_with(|table| {
                let free = table.indexes.iter().filter(|index| {
                    let mut constraints = table.constraints.iter();
                    index.unique && !constraints.any(|constraint| constraint.name == index.name)
                });
                free.map(|index| index.name.clone()).collect()
            }),
            other => panic!("no table has a {other}"),
        }
    }

    pub(super) fn index(&mut self, is_key: Option<bool>) -> String {
        let names: Vec<Name> = self
            .relations(|_| true)
            .into_iter()
            .flat_map(|table| table.indexes.iter().map(move |index| (table, index)))
            .filter(|(table, index)| {
                let mut constraints = table.constraints.iter();
                let of_key = constraints.any(|constraint| constraint.name == index.name);
                is_key.is_none_or(|wanted| wanted == of_key)
            })
            .map(|(table, index)| Name {
                schema: table.name.schema.clone(),
                name: index.name.clone(),
            })
            .collect();
        self.named(&names)
    }
}

pub(super) fn has_columns_of(one: &Relation, other: &Relation) -> bool {
    other.columns.iter().all(|wanted| {
        let mut columns = one.columns.iter();
        columns.any(|column| column.name == wanted.name && column.data_type == wanted.data_type)
    })
}
