//! The texts of a subject that a server parses. Both versions of each are replaced by the server's
//! form.

use super::probe::{Context, Settings, probe};
use super::{EqualTexts, Server};
use crate::attached::Code;
use crate::compare::Subject;
use crate::compare::relation::is_evaluated_when_set;
use crate::routine::{Body, Routine};
use crate::{
    Catalog, ConstraintKind, DataType, Fill, IndexKey, Name, Relation, RelationKind, TypeKind,
};

/// The two texts of one aspect, from the two catalogs.
type Pair<'t> = (&'t mut String, &'t mut String);

/// A server, and the pairs of texts that it has found to be the same so far.
pub(super) struct TextComparer<'s> {
    pub(super) server: &'s mut dyn Server,
    pub(super) equal: &'s mut EqualTexts,
}

impl TextComparer<'_> {
    /// Replaces the texts of one subject by the server's form, in both catalogs.
    pub(super) fn settle(&mut self, left: &mut Catalog, right: &mut Catalog, subject: &Subject) {
        match subject {
            Subject::Column(table, column) => {
                let find = |catalog: &'_ mut Catalog| -> Option<(Fill, DataType)> {
                    let relation = catalog.relations.get(table)?;
                    let found = relation
                        .columns
                        .iter()
                        .find(|candidate| candidate.name == *column)?;
                    // The server would replace it by the moment of the comparison.
                    let is_stable = !is_evaluated_when_set(found);
                    is_stable.then(|| (found.fill.clone(), found.data_type.clone()))
                };
                let (Some((mut one, data_type)), Some((mut other, _))) = (find(left), find(right))
                else {
                    return;
                };
                match (&mut one, &mut other) {
                    (Fill::Default(one), Fill::Default(other)) => {
                        self.pair((one, other), &Context::Value(&data_type), (None, None));
                    }
                    (
                        Fill::Generated {
                            expression: one, ..
                        },
                        Fill::Generated {
                            expression: other, ..
                        },
                    ) => {
                        self.pair((one, other), &Context::Over(table), (None, None));
                    }
                    _ => {}
                }
                for (catalog, fill) in [(left, one), (right, other)] {
                    let columns = catalog
                        .relations
                        .get_mut(table)
                        .map(|relation| relation.columns.iter_mut());
                    for candidate in columns.into_iter().flatten() {
                        if candidate.name == *column {
                            candidate.fill = fill.clone();
                        }
                    }
                }
            }
            Subject::Constraint(table, name) => {
                let Some((one, other)) = relations(left, right, table) else {
                    return;
                };
                let find = |list: &'_ mut Vec<crate::Constraint>| {
                    list.iter().position(|relation| relation.name == *name)
                };
                let (Some(at), Some(to)) =
                    (find(&mut one.constraints), find(&mut other.constraints))
                else {
                    return;
                };
                if let (
                    ConstraintKind::Check { expression, .. },
                    ConstraintKind::Check {
                        expression: other, ..
                    },
                ) = (
                    &mut one.constraints[at].kind,
                    &mut other.constraints[to].kind,
                ) {
                    self.pair((expression, other), &Context::Over(table), (None, None));
                }
                self.index(left, right, table, name);
            }
            Subject::Index(table, name) => self.index(left, right, table, name),
            Subject::Relation(name) => self.relation(left, right, name),
            Subject::Trigger(table, name) => {
                let find = |catalog: &'_ mut Catalog| {
                    let triggers = &mut catalog.relations.get_mut(table)?.attached.triggers;
                    let found = triggers.iter_mut().find(|trigger| trigger.name == *name)?;
                    found.condition.clone()
                };
                let (Some(mut one), Some(mut other)) = (find(left), find(right)) else {
                    return;
                };
                self.code(&mut one, &mut other, &Context::OldAndNew(table));
                for (catalog, code) in [(left, one), (right, other)] {
                    if let Some(relation) = catalog.relations.get_mut(table) {
                        let mut triggers = relation.attached.triggers.iter_mut();
                        if let Some(trigger) = triggers.find(|trigger| trigger.name == *name) {
                            trigger.condition = Some(code);
                        }
                    }
                }
            }
            Subject::Policy(table, name) => self.policy(left, right, table, name),
            Subject::Rule(table, name) => {
                let Some((one, other)) = relations(left, right, table) else {
                    return;
                };
                let one = one
                    .attached
                    .rules
                    .iter_mut()
                    .find(|rule| rule.name == *name);
                let mut others = other.attached.rules.iter_mut();
                let other = others.find(|rule| rule.name == *name);
                if let (Some(one), Some(other)) = (one, other) {
                    self.code(
                        &mut one.definition,
                        &mut other.definition,
                        &Context::Rule(table),
                    );
                }
            }
            Subject::Routine(_, _, signature) => {
                let find = |catalog: &Catalog| {
                    let mut routines = catalog.routines.iter();
                    routines.position(|routine| routine.signature() == *signature)
                };
                let (Some(at), Some(to)) = (find(left), find(right)) else {
                    return;
                };
                let (one, other) = (&mut left.routines[at], &mut right.routines[to]);
                self.routine(one, other);
            }
            Subject::Type(name) | Subject::DomainCheck(name, _) => {
                self.domain(left, right, name);
            }
            Subject::Schema(_) | Subject::Extension(_) | Subject::Sequence(_) => {}
        }
    }

    fn index(&mut self, left: &mut Catalog, right: &mut Catalog, table: &Name, name: &str) {
        let Some((one, other)) = relations(left, right, table) else {
            return;
        };
        let one = one.indexes.iter_mut().find(|index| index.name == name);
        let other = other.indexes.iter_mut().find(|index| index.name == name);
        let (Some(one), Some(other)) = (one, other) else {
            return;
        };
        for pair in one.keys.iter_mut().zip(&mut other.keys) {
            if let (IndexKey::Expression { text, .. }, IndexKey::Expression { text: other, .. }) =
                pair
            {
                self.pair((text, other), &Context::Over(table), (None, None));
            }
        }
        if let (Some(one), Some(other)) = (&mut one.predicate, &mut other.predicate) {
            self.pair((one, other), &Context::Over(table), (None, None));
        }
    }

    fn relation(&mut self, left: &mut Catalog, right: &mut Catalog, name: &Name) {
        let Some((one, other)) = relations(left, right, name) else {
            return;
        };
        if let (Some(bound), Some(other_bound), [parent, ..]) = (
            &mut one.partition_bound,
            &mut other.partition_bound,
            other.parents.as_slice(),
        ) {
            let parent = parent.clone();
            self.pair((bound, other_bound), &Context::Bound(&parent), (None, None));
        }
        let is_view = matches!(
            one.kind,
            RelationKind::View | RelationKind::MaterializedView
        );
        let names = |columns: &[crate::Column]| -> Vec<String> {
            columns.iter().map(|column| column.name.clone()).collect()
        };
        let (columns, others) = (names(&one.columns), names(&other.columns));
        if is_view && columns == others {
            let codes = (&mut one.attached.query, &mut other.attached.query);
            if let (Some(one), Some(other)) = codes {
                self.code(one, other, &Context::Query(&columns));
            }
        }
    }

    fn policy(&mut self, left: &mut Catalog, right: &mut Catalog, table: &Name, name: &str) {
        let Some((one, other)) = relations(left, right, table) else {
            return;
        };
        let one = one
            .attached
            .policies
            .iter_mut()
            .find(|policy| policy.name == name);
        let other = other
            .attached
            .policies
            .iter_mut()
            .find(|policy| policy.name == name);
        let (Some(one), Some(other)) = (one, other) else {
            return;
        };
        let pairs = [
            (&mut one.using, &mut other.using),
            (&mut one.with_check, &mut other.with_check),
        ];
        for pair in pairs {
            if let (Some(one), Some(other)) = pair {
                self.code(one, other, &Context::Over(table));
            }
        }
    }

    fn routine(&mut self, one: &mut Routine, other: &mut Routine) {
        for (one, other) in one.arguments.iter_mut().zip(&mut other.arguments) {
            let data_type = one.data_type.clone();
            if let (Some(one), Some(other)) = (&mut one.default, &mut other.default) {
                self.pair((one, other), &Context::Value(&data_type), (None, None));
            }
        }
        // The defaults are in the server's form by now, and do not matter for the body.
        let bare = |routine: &Routine| {
            let mut bare = routine.clone();
            for argument in &mut bare.arguments {
                argument.default = None;
            }
            bare
        };
        let (shape, other_shape) = (bare(one), bare(other));
        if shape.head() == other_shape.head()
            && let (Body::Sql(one), Body::Sql(other)) = (&mut one.body, &mut other.body)
        {
            self.code(one, other, &Context::Body(&shape));
        }
    }

    fn domain(&mut self, left: &mut Catalog, right: &mut Catalog, name: &Name) {
        let (Some(one), Some(other)) = (left.types.get_mut(name), right.types.get_mut(name)) else {
            return;
        };
        if let (
            TypeKind::Domain {
                base,
                default,
                checks,
                ..
            },
            TypeKind::Domain {
                default: other_default,
                checks: other_checks,
                ..
            },
        ) = (&mut one.kind, &mut other.kind)
        {
            if let (Some(one), Some(other)) = (default, other_default) {
                self.pair((one, other), &Context::Value(base), (None, None));
            }
            for check in checks {
                let found = other_checks
                    .iter_mut()
                    .find(|other| other.name == check.name);
                if let Some(found) = found
                    && let (
                        ConstraintKind::Check { expression, .. },
                        ConstraintKind::Check {
                            expression: other, ..
                        },
                    ) = (&mut check.kind, &mut found.kind)
                {
                    self.pair((expression, other), &Context::Domain(base), (None, None));
                }
            }
        }
    }

    fn code(&mut self, one: &mut Code, other: &mut Code, context: &Context<'_>) {
        let paths = (one.search_path.clone(), other.search_path.clone());
        if let (Some(text), Some(other_text)) = (&mut one.text, &mut other.text) {
            let are_read = self.pair((text, other_text), context, (paths.0, paths.1));
            if are_read {
                one.search_path = None;
                other.search_path = None;
            }
        }
    }

    /// Replaces both texts by the server's form, if the server accepts both. Returns true if it
    /// does.
    fn pair(
        &mut self,
        (one, other): Pair<'_>,
        context: &Context<'_>,
        paths: (Option<Vec<String>>, Option<Vec<String>>),
    ) -> bool {
        if one == other && paths.0.is_some() == paths.1.is_some() {
            return true;
        }
        let key = (one.clone(), other.clone());
        if self.equal.0.contains(&key) {
            one.clone_from(other);
            return true;
        }
        let mut probed = |settings| {
            let (left, right) = (paths.0.as_deref(), paths.1.as_deref());
            let left = probe(self.server, one, context, left, settings)?;
            Some((left, probe(self.server, other, context, right, settings)?))
        };
        let Some((left, right)) = probed(Settings::OfIntrospection) else {
            return false;
        };
        let has_value = one.contains('\'') || other.contains('\'');
        let is_same = left == right
            || has_value
                && probed(Settings::OfTheSession).is_some_and(|(left, right)| left == right);
        if is_same {
            self.equal.0.insert(key);
            one.clone_from(&right);
        } else {
            *one = left;
        }
        *other = right;
        true
    }
}

/// Returns the relation of this name in both catalogs.
fn relations<'c>(
    left: &'c mut Catalog,
    right: &'c mut Catalog,
    name: &Name,
) -> Option<(&'c mut Relation, &'c mut Relation)> {
    Some((
        left.relations.get_mut(name)?,
        right.relations.get_mut(name)?,
    ))
}
