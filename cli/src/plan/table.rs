//! The types of one table: its id, row, `New`, `Changes` and constraints.

use crate::catalog::{
    Catalog, Column, Constraint, ConstraintKind, Fill, Index, IndexKey, Name, Relation,
    RelationKind,
};
use crate::project::Settings;

use super::function::Function;
use super::names::{column_names, distinct, own_type_name, rust_name, singular, type_name};
use super::patched::PatchedSchema;
use super::rust_type::{self, RustType};
use super::schema::is_generated;

/// The file of one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TablePlan {
    pub name: Name,
    pub sql_name: String,
    /// The path of the schema module: `super::schema`.
    pub schema_path: String,
    /// The module in `schema.rs`, and the file.
    pub module: String,
    /// The row's type.
    pub row: String,
    /// What a row is in a sentence: `account label`.
    pub noun: String,
    pub comment: Option<String>,
    pub id: Option<IdPlan>,
    /// Columns of the primary key.
    pub key: Vec<String>,
    pub fields: Vec<Field>,
    pub new_fields: Vec<Field>,
    pub changes_fields: Vec<Field>,
    pub constraints: Vec<ConstraintPlan>,
    pub functions: Vec<Function>,
    /// Ids of other tables that this file names: module and type.
    pub foreign_ids: Vec<String>,
    pub extra_derives: Vec<String>,
    /// Whether a query of it surely only reads: it is a table, and no view or policy leads from it to a function
    /// that may write.
    pub only_reads: bool,
}

/// The type of a table's id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct IdPlan {
    pub name: String,
    pub inner: String,
    pub import: Option<String>,
    pub sql_type: String,
}

/// A field of a struct.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Field {
    pub name: String,
    pub sql_name: String,
    pub rust_type: RustType,
    /// How many `Option`s are around the type.
    pub options: usize,
    pub comment: Option<String>,
}

/// A variant of the constraint enum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ConstraintPlan {
    pub variant: String,
    pub sql_name: String,
    /// As it would be written in SQL.
    pub definition: String,
}

impl TablePlan {
    /// The names that the file brings into its module's parent.
    pub(crate) fn type_names(&self) -> Vec<String> {
        let mut names = vec![self.row.clone()];
        names.extend(self.id.as_ref().map(|id| id.name.clone()));
        if !self.new_fields.is_empty() {
            names.push(self.new_type());
        }
        if !self.changes_fields.is_empty() {
            names.push(self.changes_type());
        }
        names.push(self.constraint_type());
        names
    }

    pub(crate) fn new_type(&self) -> String {
        format!("New{}", self.row)
    }

    pub(crate) fn changes_type(&self) -> String {
        format!("{}Changes", self.row)
    }

    pub(crate) fn constraint_type(&self) -> String {
        format!("{}Constraint", self.row)
    }
}

pub(super) fn plan(
    catalog: &Catalog,
    relation: &Relation,
    settings: &Settings,
    patched: Option<&PatchedSchema>,
    notes: &mut Vec<String>,
) -> TablePlan {
    let module = rust_name(&relation.name.name, None);
    let row = row_name(relation, settings);
    let key = relation.primary_key().unwrap_or_default().to_vec();
    let mut fields = Vec::new();
    let rust_names = column_names(relation);
    for (column, rust_column) in relation.columns.iter().zip(&rust_names) {
        let shown = patched.map(|patched| patched.column(&module, rust_column));
        if shown == Some(None) {
            notes.push(format!(
                "{}.{} is left out of {row}: the patch file takes it out of the schema",
                relation.name.name, column.name
            ));
            continue;
        }
        match column_type(catalog, relation, column, settings) {
            Some(rust_type) if shown.flatten().is_some_and(has_whole_elements) => {
                fields.push((column, rust_type.with_whole_elements()));
            }
            Some(rust_type) => fields.push((column, rust_type)),
            None => notes.push(format!(
                "{}.{} is left out of {row}: there is no Rust type for {}",
                relation.name.name, column.name, column.data_type.name.name
            )),
        }
    }
    let rust_name_of = |column: &Column| {
        let mut columns = relation.columns.iter();
        let place = columns.position(|other| other.name == column.name);
        place.and_then(|place| rust_names.get(place)).cloned()
    };
    let field = |column: &Column, rust_type: &RustType, options: usize| Field {
        name: rust_name_of(column).unwrap_or_default(),
        sql_name: column.name.clone(),
        rust_type: rust_type.clone(),
        options,
        comment: column.comment.clone(),
    };
    let is_counted =
        |column: &Column| matches!(column.fill, Fill::Serial { .. } | Fill::Identity { .. });
    let new_fields = fields
        .iter()
        .filter(|(column, _)| !is_generated(&column.fill) && !is_counted(column))
        .map(|(column, rust_type)| {
            let has_default = matches!(column.fill, Fill::Default(_));
            field(
                column,
                rust_type,
                usize::from(!column.not_null) + usize::from(has_default),
            )
        })
        .collect();
    let always = |column: &Column| matches!(column.fill, Fill::Identity { always: true });
    let changes_fields = fields
        .iter()
        .filter(|(column, _)| {
            !is_generated(&column.fill) && !always(column) && !key.contains(&column.name)
        })
        .map(|(column, rust_type)| field(column, rust_type, 1 + usize::from(!column.not_null)))
        .collect();
    let mut foreign_ids: Vec<String> = fields
        .iter()
        .filter_map(|(column, _)| id_owner(catalog, relation, &column.name, 0))
        .filter(|owner| *owner != relation.name)
        .filter_map(|owner| {
            catalog
                .relations
                .get(&owner)
                .and_then(|owner| own_id(catalog, owner, settings))
        })
        .map(|id| id.name)
        .collect();
    foreign_ids.sort();
    foreign_ids.dedup();
    TablePlan {
        name: relation.name.clone(),
        sql_name: relation.name.name.clone(),
        schema_path: settings.schema_path.clone(),
        noun: singular(&relation.name.name).replace('_', " "),
        comment: relation.comment.clone(),
        id: own_id(catalog, relation, settings),
        key,
        fields: fields
            .iter()
            .map(|(column, rust_type)| field(column, rust_type, usize::from(!column.not_null)))
            .collect(),
        new_fields,
        changes_fields,
        constraints: constraints(relation),
        functions: Vec::new(),
        foreign_ids,
        extra_derives: settings.extra_derives.clone(),
        only_reads: matches!(
            relation.kind,
            RelationKind::Table | RelationKind::PartitionedTable | RelationKind::Partition
        ) && relation.attached.policies.is_empty(),
        module,
        row,
    }
}

fn row_name(relation: &Relation, settings: &Settings) -> String {
    let given = settings.names.get(&relation.name.name).cloned();
    given.unwrap_or_else(|| own_type_name(&singular(&relation.name.name)))
}

/// The Rust type of a column, which for a key is the id's.
fn column_type(
    catalog: &Catalog,
    relation: &Relation,
    column: &Column,
    settings: &Settings,
) -> Option<RustType> {
    let plain = rust_type::of_column(catalog, column)?;
    let owner = id_owner(catalog, relation, &column.name, 0)
        .and_then(|owner| catalog.relations.get(&owner));
    let Some(id) = owner.and_then(|owner| own_id(catalog, owner, settings)) else {
        return Some(plain);
    };
    let is_copied = !plain.argument.starts_with('&');
    Some(if is_copied {
        RustType::copied(&id.name, None)
    } else {
        RustType::cloned(&id.name, None)
    })
}

/// Whether an array's elements are not NULL, which only a patch file can say.
fn has_whole_elements(sql_type: &str) -> bool {
    sql_type.contains("Array<") && !sql_type.contains("Array<Nullable<")
}

/// The table whose id is in this column: where its foreign keys lead, or its own.
fn id_owner(catalog: &Catalog, relation: &Relation, column: &str, depth: u8) -> Option<Name> {
    let parent = relation
        .constraints
        .iter()
        .find_map(|constraint| match &constraint.kind {
            ConstraintKind::ForeignKey {
                columns,
                references,
                referenced_columns,
                ..
            } if columns.as_slice() == [column] => referenced_columns
                .first()
                .map(|referenced| (references, referenced)),
            _ => None,
        });
    match parent {
        // References in a circle end somewhere, if only here.
        Some((references, referenced)) if depth < 16 && *references != relation.name => id_owner(
            catalog,
            catalog.relations.get(references)?,
            referenced,
            depth + 1,
        ),
        Some((references, referenced)) => {
            let key = catalog.relations.get(references)?.primary_key()?;
            (key == [referenced.clone()]).then(|| references.clone())
        }
        None => (relation.primary_key()? == [column.to_owned()]).then(|| relation.name.clone()),
    }
}

/// The id type that a table has of its own: of a key of one column that refers to no other table.
fn own_id(catalog: &Catalog, relation: &Relation, settings: &Settings) -> Option<IdPlan> {
    let [key] = relation.primary_key()? else {
        return None;
    };
    if id_owner(catalog, relation, key, 0)? != relation.name {
        return None;
    }
    let column = relation.columns.iter().find(|column| column.name == *key)?;
    let sql_type = rust_type::sql_type_of_id(&column.data_type)?;
    let inner = rust_type::of_column(catalog, column)?;
    Some(IdPlan {
        name: format!("{}Id", row_name(relation, settings)),
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
    let variants = distinct(
        named
            .iter()
            .map(|(name, _)| type_name(name.strip_prefix(&prefix).unwrap_or(name))),
    );
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

/// Without line breaks, for a comment of one line.
pub(super) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
