//! Changes of tables and views.

use super::order::{Dependencies, Statement};
use super::recreated::is_view;
use super::{Script, Step, attached, column, constraint, distribution, inheritance};
use crate::compare::{Aspect, How, Subject, same_fill};
use crate::definition::quoted;
use crate::{Catalog, Column, ConstraintKind, Fill, Index, Name, Relation, RelationKind};

/// Creates, drops or changes a table or view.
pub(super) fn change(
    script: &mut Script,
    expected: &Catalog,
    actual: &Catalog,
    name: &Name,
    how: &How,
) {
    let (new, old) = (expected.relations.get(name), actual.relations.get(name));
    match (new, old, how) {
        (Some(new), None, _) => create(script, expected, actual, new),
        (None, Some(old), _) => drop(script, expected, actual, old),
        (Some(new), Some(old), How::Differs { aspect, .. }) => {
            change_aspect(script, expected, (new, old), *aspect);
        }
        _ => {}
    }
}

fn keyword(relation: &Relation) -> &'static str {
    match relation.kind {
        RelationKind::View => "VIEW",
        RelationKind::MaterializedView => "MATERIALIZED VIEW",
        RelationKind::ForeignTable => "FOREIGN TABLE",
        _ => "TABLE",
    }
}

/// Drops a table or view.
fn drop(script: &mut Script, expected: &Catalog, actual: &Catalog, relation: &Relation) {
    let sql = relation.name.sql();
    // A view blocks changes of the columns that it reads, so it is dropped early.
    let step = match relation.kind {
        RelationKind::View | RelationKind::MaterializedView => Step::DropViews,
        // A column with rows of another table keeps the types of that table from changing.
        _ if has_rows_of_table(actual, relation) => Step::DropGenerated,
        _ => Step::DropTables,
    };
    for constraint in &relation.constraints {
        if let ConstraintKind::ForeignKey { .. } = constraint.kind {
            constraint::drop_constraint(script, &relation.name, constraint, true);
        }
    }
    // A new table may have an index of the same name, as after a rename.
    for index in relation
        .indexes
        .iter()
        .filter(|index| !is_view(relation) && is_expected_name(expected, relation, index))
    {
        constraint::drop_index(script, expected, actual, &relation.name, index);
    }
    leave_changing_parents(script, expected, relation);
    let drop = format!("DROP {} {sql}", keyword(relation));
    let sequences = column::owned_sequences(actual, &relation.name, None);
    let dependencies = Dependencies::of_relation(relation);
    script.add(
        Statement::new(step, drop, dependencies)
            .dropping(&relation.name)
            .also_dropping(sequences),
    );
}

/// Returns true if a column holds rows of a table, or arrays of them.
fn has_rows_of_table(actual: &Catalog, relation: &Relation) -> bool {
    let mut columns = relation.columns.iter();
    columns.any(|column| actual.relations.contains_key(&column.data_type.name))
}

/// Detaches a table that is dropped from its parents that change. Their changes would reach the
/// table, and a new partition may overlap it.
fn leave_changing_parents(script: &mut Script, expected: &Catalog, relation: &Relation) {
    let parents = relation.parents.iter();
    let parents = parents.filter(|parent| {
        expected.relations.contains_key(parent) && script.changing.contains(parent)
    });
    let detach: Vec<String> = parents
        .map(|parent| inheritance::detach(relation, parent))
        .collect();
    for detach in detach {
        script.push(Step::Detach, detach);
    }
}

/// Returns true if the expected catalog has an object with the name of this index.
fn is_expected_name(expected: &Catalog, relation: &Relation, index: &Index) -> bool {
    let name = Name {
        schema: relation.name.schema.clone(),
        name: index.name.clone(),
    };
    let mut others = expected.relations.values();
    expected.relations.contains_key(&name)
        || expected.sequences.contains_key(&name)
        || expected.types.contains_key(&name)
        || others.any(|other| {
            let mut indexes = other.indexes.iter();
            other.name.schema == name.schema && indexes.any(|index| index.name == name.name)
        })
}

fn change_aspect(
    script: &mut Script,
    expected: &Catalog,
    (new, old): (&Relation, &Relation),
    aspect: Aspect,
) {
    let sql = new.name.sql();
    match aspect {
        Aspect::Comment => {
            script.comment_on(&format!("{} {sql}", keyword(new)), new.comment.as_ref());
        }
        Aspect::RowSecurity | Aspect::ForcedRowSecurity => {
            attached::set_row_security(script, new);
        }
        Aspect::Options => attached::change_options(script, new, old),
        Aspect::Query if !attached::create_or_replace_view(script, new) => script.note(format!(
            "{sql} is not replaced, since the catalog lacks its definition, which its migration has"
        )),
        Aspect::Kind | Aspect::Parents | Aspect::PartitionBound => {
            change_parents(script, expected, new, old);
        }
        Aspect::Type => change_composite_type(script, new, old),
        Aspect::Distribution | Aspect::Colocation => {
            distribution::change(script, expected, new, old);
        }
        // `column::note_order` reports the order of the columns, after all other changes.
        _ => {}
    }
}

/// Removes a table from its old parents, and adds it to the new ones.
fn change_parents(script: &mut Script, expected: &Catalog, new: &Relation, old: &Relation) {
    let sql = new.name.sql();
    for parent in old
        .parents
        .iter()
        .filter(|parent| !inheritance::keeps_parent(new, old, parent))
    {
        let detach = inheritance::detach(old, parent);
        script.push(Step::Detach, detach);
    }
    for parent in new
        .parents
        .iter()
        .filter(|parent| !inheritance::keeps_parent(new, old, parent))
    {
        match &new.partition_bound {
            Some(bound) => attach(script, expected, (new, old), parent, bound),
            None => {
                let inherit = format!("ALTER TABLE {sql} INHERIT {}", parent.sql());
                script.push(Step::Attach, inherit);
            }
        }
    }
}

/// Attaches a partition.
fn attach(
    script: &mut Script,
    expected: &Catalog,
    (new, old): (&Relation, &Relation),
    parent: &Name,
    bound: &str,
) {
    let sql = new.name.sql();
    // From PostgreSQL 17 on, a partition shares the identity of its parent and has no other.
    for column in &new.columns {
        let had_identity = inheritance::find_column(old, &column.name)
            .is_some_and(|column| matches!(column.fill, Fill::Identity { .. }));
        if had_identity && column::has_identity_of_parent(expected, &new.name, column) {
            let name = quoted(&column.name);
            let alter = format!("ALTER TABLE {sql} ALTER COLUMN {name} DROP IDENTITY IF EXISTS");
            script.push(Step::Detach, alter);
        }
    }
    let attach = format!(
        "ALTER TABLE {} ATTACH PARTITION {sql} {bound}",
        parent.sql()
    );
    script.push(Step::Attach, attach);
}

/// Makes a table a typed table, or makes it one no longer.
fn change_composite_type(script: &mut Script, new: &Relation, old: &Relation) {
    let sql = new.name.sql();
    if old.of_type.is_some() {
        script.push(Step::Detach, format!("ALTER TABLE {sql} NOT OF"));
    }
    if let Some(of_type) = &new.of_type {
        let alter = format!("ALTER TABLE {sql} OF {}", of_type.sql());
        script.push(Step::Attach, alter);
    }
}

/// Creates a relation with its constraints, indexes, triggers, policies, rules and privileges.
pub(super) fn create(
    script: &mut Script,
    expected: &Catalog,
    actual: &Catalog,
    relation: &Relation,
) {
    let sql = relation.name.sql();
    if is_view(relation) && attached::create_or_replace_view(script, relation) {
        create_view_parts(script, expected, relation);
        return;
    }
    if is_view(relation) || relation.kind == RelationKind::ForeignTable {
        script.note(format!(
            "{sql} is not created, since the catalog lacks its definition, which its migration has"
        ));
        script.not_created.insert(relation.name.clone());
        return;
    }
    let parent = relation.parents.first();
    let parent = parent.zip(relation.partition_bound.as_ref());
    // An existing parent may change first. `INHERIT` adds the child after that.
    let inherits_later = parent.is_none()
        && relation.of_type.is_none()
        && relation
            .parents
            .iter()
            .any(|parent| actual.relations.contains_key(parent));
    let (of, has_columns) = match (&relation.of_type, relation.parents.as_slice(), parent) {
        (Some(of_type), ..) => (format!(" OF {}", of_type.sql()), false),
        // A partition is attached after its keys and indexes are created, so these keep their
        // names.
        (None, [], _) | (None, _, Some(_)) => (String::new(), true),
        _ if inherits_later => (String::new(), true),
        (None, parents, None) => {
            let parents: Vec<String> = parents.iter().map(Name::sql).collect();
            (format!(" INHERITS ({})", parents.join(", ")), true)
        }
    };
    let columns: Vec<String> = relation
        .columns
        .iter()
        .filter(|column| inherits_later || !is_inherited(expected, relation, column))
        .map(|column| column::definition((expected, actual), &relation.name, column))
        .collect();
    let partition_by = relation.partition_by.as_ref();
    let partition_by = partition_by.map_or(String::new(), |by| format!(" PARTITION BY {by}"));
    let statement = if has_columns {
        format!(
            "CREATE TABLE {sql} ({}){of}{partition_by}",
            columns.join(", ")
        )
    } else {
        format!("CREATE TABLE {sql}{of}{partition_by}")
    };
    let mut dependencies = Dependencies::of_relation(relation);
    if let Some((parent, bound)) = parent {
        dependencies.remove(parent);
        let attach = format!(
            "ALTER TABLE {} ATTACH PARTITION {sql} {bound}",
            parent.sql()
        );
        script.push(Step::Attach, attach);
    }
    if inherits_later {
        for parent in &relation.parents {
            dependencies.remove(parent);
            let inherit = format!("ALTER TABLE {sql} INHERIT {}", parent.sql());
            script.push(Step::Attach, inherit);
        }
    }
    let sequences = column::identity_sequences(expected, relation);
    script.add(
        Statement::new(Step::Tables, statement, dependencies)
            .creating([relation.name.clone()])
            .also_creating(sequences),
    );
    column::set_sequence_types(script, expected, relation);
    if !has_columns {
        column::complete_typed_table(script, (expected, actual), relation);
    }
    if parent.is_none() && !inherits_later {
        column::drop_inherited_defaults(script, expected, relation);
    }
    comment_on_new(script, "TABLE", relation);
    create_attached(script, expected, relation);
    for constraint in &relation.constraints {
        constraint::add_constraint(script, expected, relation, constraint);
    }
    for index in &relation.indexes {
        constraint::add_index(script, expected, relation, index);
    }
    distribution::distribute(script, expected, relation);
}

/// Returns true if a new table inherits a column from a parent with the expected definition.
fn is_inherited(expected: &Catalog, relation: &Relation, column: &Column) -> bool {
    let mut parents = relation.parents.iter();
    // An identity is not inherited, but a column of the child may have its own.
    relation.partition_bound.is_none()
        && !matches!(column.fill, Fill::Identity { .. })
        && parents.any(|parent| {
            let parent = expected.relations.get(parent);
            let other = parent.and_then(|parent| inheritance::find_column(parent, &column.name));
            other.is_some_and(|other| {
                inheritance::is_same_type(column, other)
                    && column.not_null == other.not_null
                    && same_fill(&column.fill, &other.fill)
            })
        })
}

/// Adds the comments of a new table or view and of its columns.
fn comment_on_new(script: &mut Script, keyword: &str, relation: &Relation) {
    let sql = relation.name.sql();
    if relation.comment.is_some() {
        script.comment_on(&format!("{keyword} {sql}"), relation.comment.as_ref());
    }
    for column in &relation.columns {
        if column.comment.is_some() {
            let on = format!("COLUMN {sql}.{}", quoted(&column.name));
            script.comment_on(&on, column.comment.as_ref());
        }
    }
}

/// Sets the comments and privileges of a new view, and creates its triggers, rules and indexes.
pub(super) fn create_view_parts(script: &mut Script, expected: &Catalog, relation: &Relation) {
    let keyword = match relation.kind {
        RelationKind::MaterializedView => "MATERIALIZED VIEW",
        _ => "VIEW",
    };
    comment_on_new(script, keyword, relation);
    create_attached(script, expected, relation);
    for index in &relation.indexes {
        constraint::add_index(script, expected, relation, index);
    }
}

/// Grants the privileges of a new table or view, and creates its triggers, policies and rules.
fn create_attached(script: &mut Script, expected: &Catalog, relation: &Relation) {
    let nothing = Catalog::default();
    let on = format!("TABLE {}", relation.name.sql());
    super::privilege::grant_all(script, &on, &relation.attached.privileges);
    let (table, attached) = (&relation.name, &relation.attached);
    if attached.row_security || attached.force_row_security {
        attached::set_row_security(script, relation);
    }
    let triggers = attached.triggers.iter().map(|trigger| &trigger.name);
    let triggers = triggers.map(|name| Subject::Trigger(table.clone(), name.clone()));
    let policies = attached.policies.iter().map(|policy| &policy.name);
    let policies = policies.map(|name| Subject::Policy(table.clone(), name.clone()));
    let rules = attached.rules.iter().map(|rule| &rule.name);
    let rules = rules.map(|name| Subject::Rule(table.clone(), name.clone()));
    for subject in triggers.chain(policies).chain(rules) {
        attached::change(script, expected, &nothing, &subject, &How::OnlyLeft);
    }
    for trigger in &attached.inherited_triggers {
        let (name, state) = (&trigger.name, trigger.enabled);
        attached::set_inherited_state(script, expected, table, name, state);
    }
}
