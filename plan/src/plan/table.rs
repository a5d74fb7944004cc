//! The types of one table: its id, row, `New`, `Changes` and constraints.

mod data;

use crate::project::{Settings, of_name};
use bowline_catalog::attached::{Event, Timing};
use bowline_catalog::{
    Catalog, Column, Constraint, ConstraintKind, Fill, Index, IndexKey, Name, Relation,
    RelationKind, TypeKind,
};

use super::english::singular;
use super::names::{argument_name, distinct, file_name, module_name, own_type_name, type_name};
use super::patched::PatchedSchema;
use super::rust_type::{self, RustType};
use super::schema::{SchemaColumn, SchemaPlan, SchemaTable, ShownType, is_generated};
use super::written;

pub use data::{ConstraintPlan, Field, IdPlan, TablePlan};

/// The input of a table's plan.
pub(super) struct Source<'a> {
    pub catalog: &'a Catalog,
    pub settings: &'a Settings,
    pub schemas: &'a [SchemaPlan],
    /// Each `schema.rs` after its patch file, if it has one.
    pub patched: &'a [Option<PatchedSchema>],
    /// Names of files that are in use.
    pub taken_files: &'a [String],
}

impl<'a> Source<'a> {
    /// Returns the `schema.rs` that a table is imported from, with its index, and the table in it.
    pub(super) fn find(&self, name: &Name) -> Option<(usize, &'a SchemaPlan, &'a SchemaTable)> {
        let mut schemas = self.schemas.iter().enumerate();
        schemas.find_map(|(index, schema)| {
            schema.path.as_ref()?;
            let table = schema.tables.iter().find(|table| table.name == *name)?;
            Some((index, schema, table))
        })
    }

    /// Returns the type that `schema.rs` shows for a column.
    fn shown(&self, relation: &Relation, column: &str) -> Option<(&'a SchemaPlan, &'a ShownType)> {
        let (_, schema, table) = self.find(&relation.name)?;
        let mut columns = table.columns.iter();
        let column = columns.find(|found| found.sql_name == column)?;
        Some((schema, &column.shown))
    }
}

pub(super) fn plan(
    source: &Source<'_>,
    relation: &Relation,
    notes: &mut Vec<String>,
) -> Option<TablePlan> {
    let Source {
        catalog, settings, ..
    } = *source;
    let (index, schema, table) = source.find(&relation.name)?;
    let patched = source.patched.get(index).and_then(Option::as_ref);
    let row = row_name(relation, settings);
    let key = settings.row_key(relation)?;
    let mut fields = Vec::new();
    let mut missing = Vec::new();
    // A trigger may set required columns, so the INSERT need not.
    let has_trigger = relation.attached.triggers.iter().any(|trigger| {
        trigger.timing == Timing::Before
            && trigger.for_each_row
            && trigger.events.contains(&Event::Insert)
    });
    for column in &relation.columns {
        let Some(found) = table
            .columns
            .iter()
            .find(|found| found.sql_name == column.name)
        else {
            continue;
        };
        let patched = patched.map(|patched| patched.column(&table.rust_name, &found.rust_name));
        let rust_type = if patched == Some(None) {
            Err("the patch file removes it from the schema".to_owned())
        } else {
            column_type(source, relation, schema, found)
        };
        match rust_type {
            Ok(rust_type) if patched.flatten().is_some_and(has_whole_elements) => {
                fields.push((column, found, rust_type.with_whole_elements()));
            }
            Ok(rust_type) => fields.push((column, found, rust_type)),
            Err(why) => {
                let is_required = !found.shown.is_nullable && !is_filled(catalog, column);
                let so = if is_required && !has_trigger {
                    missing.push(column.name.clone());
                    format!("; {row} has no insert, since each row needs a value there")
                } else {
                    String::new()
                };
                notes.push(format!(
                    "{}.{} is left out of {row}: {why}{so}",
                    relation.name.name, column.name
                ));
            }
        }
    }
    let arguments = distinct(
        fields
            .iter()
            .map(|(_, found, _)| argument_name(&found.rust_name)),
    );
    let all: Vec<(&Column, Field)> = fields
        .into_iter()
        .zip(arguments)
        .map(|((column, found, rust_type), argument_name)| {
            let field = Field {
                name: found.rust_name.clone(),
                argument_name,
                sql_name: column.name.clone(),
                rust_type,
                options: usize::from(found.shown.is_nullable),
                comment: column.comment.clone(),
            };
            (column, field)
        })
        .collect();
    let more = |field: &Field, options: usize| Field {
        options: field.options + options,
        ..field.clone()
    };
    let is_counted =
        |column: &Column| matches!(column.fill, Fill::Serial { .. } | Fill::Identity { .. });
    let new_fields: Vec<Field> = all
        .iter()
        .filter(|(column, _)| !is_generated(&column.fill) && !is_counted(column))
        .map(|(column, field)| more(field, usize::from(is_filled(catalog, column))))
        .collect();
    let always = |column: &Column| matches!(column.fill, Fill::Identity { always: true });
    let changes_fields = all
        .iter()
        .filter(|(column, _)| {
            !is_generated(&column.fill) && !always(column) && !key.contains(&column.name)
        })
        .map(|(_, field)| more(field, 1))
        .collect();
    let mut foreign_ids: Vec<String> = all
        .iter()
        .filter_map(|(column, _)| foreign_id(source, relation, &column.name))
        .filter(|(owner, _)| *owner != relation.name)
        .map(|(_, id)| id.name)
        .collect();
    foreign_ids.sort();
    foreign_ids.dedup();
    Some(TablePlan {
        name: relation.name.clone(),
        sql_name: relation.name.name.clone(),
        schema_path: schema.path.clone()?,
        schema_name: table.rust_name.clone(),
        module: module_name(&table.rust_name, &settings.extra_derives),
        file: file_name(&table.rust_name, source.taken_files),
        noun: singular(&relation.name.name).replace(['_', '\n', '\r'], " "),
        comment: relation.comment.clone(),
        id: own_id(source, relation),
        fields: all.iter().map(|(_, field)| field.clone()).collect(),
        // Without an insert there is no `New`.
        new_fields: if missing.is_empty() {
            new_fields
        } else {
            Vec::new()
        },
        changes_fields,
        constraints: constraints(relation),
        functions: Vec::new(),
        foreign_ids,
        extra_derives: settings.extra_derives.clone(),
        only_reads: matches!(
            relation.kind,
            RelationKind::Table | RelationKind::PartitionedTable | RelationKind::Partition
        ) && relation.attached.policies.is_empty(),
        missing,
        inserts_one_row: written::inserts_one_row(relation),
        updates_at_most_one_row: written::updates_at_most_one_row(catalog, relation, &key),
        insertable: settings.insertable,
        key,
        row,
    })
}

/// Returns true if an INSERT may leave the column out: PostgreSQL fills it by its default, or by
/// that of its domain.
fn is_filled(catalog: &Catalog, column: &Column) -> bool {
    let has_default = |name: &Name| match catalog.types.get(name).map(|found| &found.kind) {
        Some(TypeKind::Domain { default, .. }) => default.is_some(),
        _ => false,
    };
    !matches!(column.fill, Fill::Nothing)
        || (column.data_type.dimensions == 0 && has_default(&column.data_type.name))
}

fn row_name(relation: &Relation, settings: &Settings) -> String {
    let given = of_name(&settings.names, &relation.name).cloned();
    given.unwrap_or_else(|| own_type_name(&singular(&relation.name.name), "Row"))
}

/// Returns the Rust type of a column; for a key that is the type of the id.
fn column_type(
    source: &Source<'_>,
    relation: &Relation,
    schema: &SchemaPlan,
    column: &SchemaColumn,
) -> Result<RustType, String> {
    let plain = rust_type::of_column(source.catalog, schema, &column.shown, source.settings)?;
    let Some((_, id)) = foreign_id(source, relation, &column.sql_name) else {
        return Ok(plain);
    };
    let is_copied = !plain.argument.starts_with('&');
    Ok(if is_copied {
        RustType::copied(&id.name, None)
    } else {
        RustType::cloned(&id.name, None)
    })
}

/// Returns true if no element of an array is NULL, which only a patch file can state.
fn has_whole_elements(sql_type: &str) -> bool {
    sql_type.contains("Array<") && !sql_type.contains("Array<Nullable<")
}

/// Returns the id type of a column, and the table that it belongs to; `None` if the foreign key
/// refers to a column of another SQL type.
fn foreign_id(source: &Source<'_>, relation: &Relation, column: &str) -> Option<(Name, IdPlan)> {
    let owner = id_owner(source, relation, column, 0)?;
    let id = own_id(source, source.catalog.relations.get(&owner)?)?;
    let (_, shown) = source.shown(relation, column)?;
    (rust_type::sql_type_of_id(shown) == Some(id.sql_type.as_str())).then_some((owner, id))
}

/// Returns the table whose id is in this column: the table that the column's foreign key refers
/// to, or `relation` itself.
fn id_owner(source: &Source<'_>, relation: &Relation, column: &str, depth: u8) -> Option<Name> {
    let parents = |of_one: bool| {
        let constraints = relation.constraints.iter();
        constraints.filter_map(move |constraint| match &constraint.kind {
            ConstraintKind::ForeignKey {
                columns,
                references,
                referenced_columns,
                ..
            } if (columns.len() == 1) == of_one => {
                let index = columns.iter().position(|name| name == column)?;
                Some((references, referenced_columns.get(index)?))
            }
            _ => None,
        })
    };
    let follow = |(references, referenced): (&Name, &String)| {
        let parent = source.catalog.relations.get(references)?;
        // Circular references end here.
        if depth < 16 && *references != relation.name {
            return id_owner(source, parent, referenced, depth + 1);
        }
        let key = source.settings.row_key(parent)?;
        (key == [referenced.clone()]).then(|| references.clone())
    };
    if let Some(parent) = parents(true).next() {
        return follow(parent);
    }
    // In a foreign key of several columns, each column refers to one column. A column that refers
    // to no id may be an id itself.
    parents(false).find_map(follow).or_else(|| {
        let key = source.settings.row_key(relation)?;
        (key == [column.to_owned()]).then(|| relation.name.clone())
    })
}

/// Returns the id type of a table: it has one if its key is one column that refers to no other
/// table.
fn own_id(source: &Source<'_>, relation: &Relation) -> Option<IdPlan> {
    let key = source.settings.row_key(relation)?;
    let [key] = key.as_slice() else {
        return None;
    };
    if id_owner(source, relation, key, 0)? != relation.name {
        return None;
    }
    let column = relation.columns.iter().find(|column| column.name == *key)?;
    let (schema, shown) = source.shown(relation, key)?;
    // A domain may be shown as its base type, but not every value of that type is valid.
    if column.data_type.name != shown.name {
        return None;
    }
    let sql_type = rust_type::sql_type_of_id(shown)?;
    let inner = rust_type::of_column(source.catalog, schema, shown, source.settings).ok()?;
    Some(IdPlan {
        name: format!("{}Id", row_name(relation, source.settings)),
        import: inner
            .imports
            .into_iter()
            .find(|import| !import.starts_with("std::")),
        inner: inner.owned,
        sql_type: sql_type.to_owned(),
    })
}

fn constraints(relation: &Relation) -> Vec<ConstraintPlan> {
    let of_constraints = relation
        .constraints
        .iter()
        .map(|constraint| (constraint.name.clone(), definition(constraint)));
    let is_constraint = |index: &Index| {
        relation
            .constraints
            .iter()
            .any(|constraint| constraint.name == index.name)
    };
    let of_indexes = relation
        .indexes
        .iter()
        .filter(|index| index.unique && !is_constraint(index))
        .map(|index| (index.name.clone(), index_definition(index)));
    let named: Vec<(String, String)> = of_constraints.chain(of_indexes).collect();
    let prefix = format!("{}_", relation.name.name);
    let short: Vec<String> = named
        .iter()
        .map(|(name, _)| type_name(name.strip_prefix(&prefix).unwrap_or(name)))
        .collect();
    // Names that would collide are written in full. A number could move to another constraint when
    // one is added.
    let is_alone = |variant: &String| short.iter().filter(|other| *other == variant).count() == 1;
    let whole = named.iter().map(|(name, _)| type_name(name));
    let variants = distinct(short.iter().zip(whole).map(|(short, whole)| {
        if is_alone(short) {
            short.clone()
        } else {
            whole
        }
    }));
    variants
        .into_iter()
        .zip(named)
        .map(|(variant, (sql_name, definition))| ConstraintPlan {
            variant,
            sql_name,
            definition,
        })
        .collect()
}

fn definition(constraint: &Constraint) -> String {
    let (overlaps, period) = match constraint.temporal {
        true => (" WITHOUT OVERLAPS", "PERIOD "),
        false => ("", ""),
    };
    match &constraint.kind {
        ConstraintKind::PrimaryKey { columns } => {
            format!("PRIMARY KEY ({}{overlaps})", columns.join(", "))
        }
        ConstraintKind::Unique { columns, .. } => {
            format!("UNIQUE ({}{overlaps})", columns.join(", "))
        }
        ConstraintKind::Check { expression, .. } => format!("CHECK ({})", one_line(expression)),
        ConstraintKind::ForeignKey {
            columns,
            references,
            ..
        } => {
            let mut columns = columns.clone();
            if let Some(last) = columns.last_mut() {
                last.insert_str(0, period);
            }
            format!(
                "FOREIGN KEY ({}) REFERENCES {}",
                columns.join(", "),
                references.name
            )
        }
        ConstraintKind::Exclude { .. } => "EXCLUDE".to_owned(),
    }
}

fn index_definition(index: &Index) -> String {
    let keys: Vec<_> = index
        .keys
        .iter()
        .map(|key| match key {
            IndexKey::Column { name, .. } => name.clone(),
            IndexKey::Expression { text, .. } => one_line(text),
        })
        .collect();
    let predicate = index
        .predicate
        .as_deref()
        .map(|predicate| format!(" WHERE {}", one_line(predicate)))
        .unwrap_or_default();
    format!("UNIQUE ({}){predicate}", keys.join(", "))
}

/// Removes line breaks, for a comment of one line.
pub(super) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
