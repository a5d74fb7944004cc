//! Objects that no statement can turn into the expected ones, and the objects that stay with them.
//!
//! A blocked object keeps its form. The tables of its inheritance tree, the views that read it, and
//! the tables whose columns such a view reads cannot change without it. An object that it uses is
//! not dropped.

use std::collections::BTreeSet;

use super::order::Dependencies;
use super::recreated::{changed_columns, is_view, may_read};
use super::{Script, inheritance};
use crate::compare::{Aspect, Difference, How, Subject, is_same_attribute};
use crate::definition::quoted;
use crate::{Catalog, Fill, Name, Relation, RelationKind, Type, TypeKind};

/// Records the blocked relations and types, and the objects that are not dropped. Adds notes about
/// the relations.
pub(super) fn record(
    script: &mut Script,
    expected: &Catalog,
    actual: &Catalog,
    differences: &[Difference],
) {
    let unconvertible = unconvertible_relations(expected, actual);
    for name in &unconvertible {
        script.note(format!(
            "{} should be another kind of relation, and no statement converts it without losing its \
             rows: create a new one and copy the rows",
            name.sql()
        ));
    }
    let mut blocked = unconvertible;
    for (table, column, fill) in ungenerated_columns(expected, actual, differences) {
        script.note(format!(
            "{0}.{1} should be {fill}: drop the column, add it again, and compare again; nothing else \
             of {0} is changed before",
            table.sql(),
            quoted(column),
        ));
        blocked.insert(table.clone());
    }
    for (table, used) in script.half_changed.clone() {
        script.note(format!(
            "{} is not changed, since the change of a column may use {used}",
            table.sql()
        ));
        blocked.insert(table);
    }
    let unconvertible = blocked.clone();
    add_tied_relations(&mut blocked, expected, actual, differences);
    let differs = |name: &Name| {
        let mut subjects = differences.iter().map(|difference| &difference.subject);
        subjects.any(|subject| subject.relation() == Some(name))
    };
    for name in blocked
        .difference(&unconvertible)
        .filter(|name| differs(name))
    {
        script.note(format!(
            "{} is not changed, since it depends on a relation that no statement can change, or such a \
             relation depends on it",
            name.sql()
        ));
    }
    let types = expected.types.values().filter(|new| {
        let old = actual.types.get(&new.name);
        old.is_some_and(|old| !is_convertible_type(new, old))
    });
    blocked.extend(types.map(|found| found.name.clone()));
    script.recreated.retain(|view| !blocked.contains(view));
    script.blocked = blocked;
    record_kept(script, expected, actual);
}

/// Returns the relations that differ in their kind. To change the partition key or the kind of a
/// table, one has to create a new table and copy the rows.
fn unconvertible_relations(expected: &Catalog, actual: &Catalog) -> BTreeSet<Name> {
    let is_table =
        |relation: &Relation| !is_view(relation) && relation.kind != RelationKind::ForeignTable;
    let is_convertible = |new: &Relation, old: &Relation| {
        if is_table(new) && is_table(old) {
            match (&new.partition_by, &old.partition_by) {
                (Some(new), Some(old)) => crate::expression::is_same(new, old),
                (new, old) => new.is_none() && old.is_none(),
            }
        } else {
            new.kind == old.kind || is_view(old)
        }
    };
    let relations = expected.relations.values().filter(|new| {
        let old = actual.relations.get(&new.name);
        old.is_some_and(|old| !is_convertible(new, old))
    });
    relations.map(|relation| relation.name.clone()).collect()
}

/// Returns the columns of tables that should be generated, or generated in another way, with what
/// generates them. Before PostgreSQL 17 no statement changes that, and the values of a column that
/// becomes generated would be lost.
fn ungenerated_columns<'d>(
    expected: &'d Catalog,
    actual: &'d Catalog,
    differences: &'d [Difference],
) -> impl Iterator<Item = (&'d Name, &'d str, String)> {
    differences.iter().filter_map(|difference| {
        let (Subject::Column(table, name), How::Differs { aspect, .. }) =
            (&difference.subject, &difference.how)
        else {
            return None;
        };
        let (new, old) = (expected.relations.get(table)?, actual.relations.get(table)?);
        let column = inheritance::find_column(new, name)?;
        let is_generated = matches!(column.fill, Fill::Generated { .. });
        (*aspect == Aspect::Default && is_generated && !is_view(old))
            .then(|| (table, name.as_str(), column.fill.sql()))
    })
}

/// Returns false if PostgreSQL has no statement that changes the type into the expected one.
fn is_convertible_type(new: &Type, old: &Type) -> bool {
    match (&new.kind, &old.kind) {
        (
            TypeKind::Domain {
                base, collation, ..
            },
            TypeKind::Domain {
                base: old_base,
                collation: old_collation,
                ..
            },
        ) => {
            let names = [collation, old_collation].map(|name| name.as_ref().map(Name::sql));
            base.is_same(old_base) && names[0] == names[1]
        }
        (TypeKind::Range { .. }, TypeKind::Range { .. }) => new.kind == old.kind,
        (new, old) => std::mem::discriminant(new) == std::mem::discriminant(old),
    }
}

/// Adds the relations that cannot change without a blocked one.
fn add_tied_relations(
    blocked: &mut BTreeSet<Name>,
    expected: &Catalog,
    actual: &Catalog,
    differences: &[Difference],
) {
    let mut to_visit: Vec<Name> = blocked.iter().cloned().collect();
    while let Some(name) = to_visit.pop() {
        let mut tied = BTreeSet::new();
        for catalog in [expected, actual] {
            tied.extend(inheritance::descendants(catalog, &name));
            let relation = catalog.relations.get(&name);
            tied.extend(relation.into_iter().flat_map(|found| found.parents.clone()));
        }
        // A view that is dropped or created is not tied.
        for view in actual.relations.values().filter(|found| is_view(found)) {
            let new = expected.relations.get(&view.name);
            let versions = [Some(view), new];
            let mut dependencies = versions
                .into_iter()
                .flatten()
                .map(Dependencies::of_relation);
            if new.is_some() && dependencies.any(|used| used.may_have(&name)) {
                tied.insert(view.name.clone());
            }
        }
        if let Some(view) = actual.relations.get(&name).filter(|found| is_view(found)) {
            let read = changed_columns(actual, differences)
                .filter(|(table, column)| may_read(view, table, column));
            tied.extend(read.map(|(table, _)| table.clone()));
        }
        let new = tied.into_iter().filter(|name| !blocked.contains(name));
        let new: Vec<Name> = new.collect();
        blocked.extend(new.iter().cloned());
        to_visit.extend(new);
    }
}

/// An object that stays, and the blocked object because of which it stays.
struct User {
    blocked: Name,
    name: Name,
    dependencies: Dependencies,
}

/// Records the objects that are not dropped: a blocked object may use them, or an object that stays
/// for that reason.
fn record_kept(script: &mut Script, expected: &Catalog, actual: &Catalog) {
    let user = |name: &Name, dependencies: Dependencies| User {
        blocked: name.clone(),
        name: name.clone(),
        dependencies,
    };
    let relations = actual.relations.values();
    let relations = relations.filter(|found| script.blocked.contains(&found.name));
    let mut users: Vec<User> = relations
        .map(|found| {
            let dependencies = Dependencies::of_relation_with_parts(found);
            user(&found.name, dependencies)
        })
        .collect();
    let types = actual.types.values();
    let types = types.filter(|found| {
        script.blocked.contains(&found.name) || keeps_attributes(script, expected, actual, found)
    });
    users.extend(types.map(|found| user(&found.name, Dependencies::of_type(found))));
    let mut candidates = dropped_objects(expected, actual);
    let mut next = 0;
    while next < users.len() {
        let User {
            blocked,
            name,
            dependencies,
        } = &users[next];
        let is_used = |subject: &Subject| match subject {
            Subject::Extension(extension) => {
                let mut types = extension_types(actual, extension);
                types.any(|found| dependencies.certainly_has(found))
            }
            Subject::Schema(schema) => {
                name.schema == *schema || dependencies.certainly_has_in_schema(schema)
            }
            Subject::Sequence(sequence) => {
                let owner = actual.sequences.get(sequence);
                let owner = owner.and_then(|found| found.owner.as_ref());
                owner.is_some_and(|(table, _)| table == name) || dependencies.may_have(sequence)
            }
            subject => object_name(subject).is_some_and(|object| dependencies.may_have(object)),
        };
        let (kept, rest) = candidates
            .into_iter()
            .partition(|(subject, _)| is_used(subject));
        candidates = rest;
        let kept: Vec<(Subject, Dependencies)> = kept;
        let blocked = blocked.clone();
        for (subject, dependencies) in kept {
            script.kept.insert(subject.to_string(), blocked.clone());
            if let Some(name) = object_name(&subject) {
                if !matches!(subject, Subject::Routine(..)) {
                    script.kept_names.insert(name.clone());
                }
                users.push(User {
                    blocked: blocked.clone(),
                    name: name.clone(),
                    dependencies,
                });
            }
        }
        next += 1;
    }
}

/// Returns true if a composite type keeps attributes that should change.
fn keeps_attributes(script: &Script, expected: &Catalog, actual: &Catalog, old: &Type) -> bool {
    let new = expected.types.get(&old.name).map(|new| &new.kind);
    let (
        Some(TypeKind::Composite { attributes: new }),
        TypeKind::Composite {
            attributes: old_ones,
        },
    ) = (new, &old.kind)
    else {
        return false;
    };
    let is_same = new.len() == old_ones.len()
        && new
            .iter()
            .zip(old_ones)
            .all(|(new, old)| new.name == old.name && is_same_attribute(new, old));
    !is_same && super::types::keeps_attributes(script, actual, &old.name)
}

/// Returns the objects that only the actual catalog has, with what each depends on.
fn dropped_objects(expected: &Catalog, actual: &Catalog) -> Vec<(Subject, Dependencies)> {
    let relations = actual.relations.values();
    let relations = relations.filter(|found| !expected.relations.contains_key(&found.name));
    let relations = relations.map(|found| {
        let dependencies = Dependencies::of_relation_with_parts(found);
        (Subject::Relation(found.name.clone()), dependencies)
    });
    let types = actual.types.values();
    let types = types.filter(|found| !expected.types.contains_key(&found.name));
    let types = types.map(|found| {
        let dependencies = Dependencies::of_type(found);
        (Subject::Type(found.name.clone()), dependencies)
    });
    let sequences = actual.sequences.values();
    let sequences = sequences.filter(|found| !expected.sequences.contains_key(&found.name));
    let sequences = sequences.map(|found| {
        // A sequence is dropped with the table to which it belongs.
        let owner = found.owner.as_ref().map(|(table, _)| table);
        let dependencies = Dependencies::of_objects(owner);
        (Subject::Sequence(found.name.clone()), dependencies)
    });
    let routines = actual.routines.iter().filter(|routine| {
        let signature = routine.signature();
        let mut expected = expected.routines.iter();
        !expected.any(|other| other.signature() == signature)
    });
    let routines = routines.map(|routine| {
        let subject = Subject::Routine(routine.kind, routine.name.clone(), routine.signature());
        (subject, Dependencies::of_routine(routine))
    });
    let extensions = actual.extensions.difference(&expected.extensions);
    let extensions = extensions.map(|name| Subject::Extension(name.clone()));
    let schemas = actual.schemas.keys();
    let schemas = schemas.filter(|name| !expected.schemas.contains_key(*name));
    let schemas = schemas.map(|name| Subject::Schema(name.clone()));
    let without = extensions
        .chain(schemas)
        .map(|subject| (subject, Dependencies::default()));
    relations
        .chain(types)
        .chain(sequences)
        .chain(routines)
        .chain(without)
        .collect()
}

/// Returns the types of an extension that the catalog has.
fn extension_types<'c>(
    catalog: &'c Catalog,
    extension: &str,
) -> impl Iterator<Item = &'c Name> + use<'c> {
    let names = crate::extension::types(extension);
    let types = catalog.types.values().filter(move |found| {
        found.kind == TypeKind::External && names.contains(&found.name.name.as_str())
    });
    types.map(|found| &found.name)
}

/// Returns the name of a subject that is an object of a schema, and not a part of an object.
fn object_name(subject: &Subject) -> Option<&Name> {
    match subject {
        Subject::Type(name)
        | Subject::Sequence(name)
        | Subject::Routine(_, name, _)
        | Subject::Relation(name) => Some(name),
        _ => None,
    }
}

/// Returns the foreign table to which a new identity sequence belongs. A script creates no foreign
/// table, and its sequence is created with it.
pub(super) fn uncreated_owner<'c>(
    expected: &'c Catalog,
    actual: &Catalog,
    difference: &Difference,
) -> Option<&'c Name> {
    let (Subject::Sequence(name), How::OnlyLeft) = (&difference.subject, &difference.how) else {
        return None;
    };
    let sequence = expected.sequences.get(name)?;
    let owner = expected.relations.get(&sequence.owner.as_ref()?.0)?;
    let is_created_with_it = sequence.identity && owner.kind == RelationKind::ForeignTable;
    (is_created_with_it && !actual.relations.contains_key(&owner.name)).then_some(&owner.name)
}

/// Returns the blocked table to which a sequence belongs in one of the catalogs.
pub(super) fn blocked_owner<'c>(
    script: &Script,
    expected: &'c Catalog,
    actual: &'c Catalog,
    subject: &Subject,
) -> Option<&'c Name> {
    let Subject::Sequence(name) = subject else {
        return None;
    };
    let owners = [actual, expected].into_iter().filter_map(|catalog| {
        let sequence = catalog.sequences.get(name)?;
        Some(&sequence.owner.as_ref()?.0)
    });
    let mut blocked = owners.filter(|table| script.blocked.contains(*table));
    blocked.next()
}
