//! The types of columns and ids.

use bowline_catalog::{Column, ConstraintKind, Name, Relation};

use super::super::elements::has_whole_elements;
use super::super::rust_type::{Mapped, RustType, Wire, sql_type_of_id};
use super::super::schema::{SchemaColumn, SchemaPlan, ShownType};
use super::{IdPlan, Source, row_name};
use crate::project::of_name;

/// Returns the counterpart of a column's type; for a key that is the type of the id. `None` for a
/// pseudo-type.
pub(super) fn column_type(
    source: &Source<'_>,
    relation: &Relation,
    column: &Column,
    found: &SchemaColumn,
    patched: Option<&str>,
) -> Option<Mapped> {
    let is_whole = patched.is_some_and(is_whole_array)
        || has_whole_elements(source.settings, relation, column);
    let mapped = source
        .mapping
        .of(source.catalog, &column.data_type, is_whole)?;
    let setting = source.settings.column(&relation.name, &column.name);
    if let Some(given) = setting.and_then(|setting| setting.rust_type.as_ref()) {
        return Some(Mapped {
            rust_type: RustType::cloned(given, None).unhashed(),
            ..mapped
        });
    }
    let Some((owner, id)) = foreign_id(source, relation, &found.sql_name) else {
        return Some(mapped);
    };
    // An id of another module may have the name of one that is imported.
    let name = match source.modules.get(&owner.schema) {
        _ if owner.schema == relation.name.schema => id.name,
        Some(module) => format!("super::{module}::{}", id.name),
        None => format!("super::{}", id.name),
    };
    let is_copied = !mapped.rust_type.argument.starts_with('&');
    let rust_type = if is_copied {
        RustType::copied(&name, None)
    } else {
        RustType::cloned(&name, None)
    };
    let rust_type = RustType {
        id_of: Some(Box::new(owner)),
        ..rust_type
    };
    Some(Mapped {
        rust_type,
        ..mapped
    })
}

/// Returns the way in which a column's values are sent and read, if that is not by the type of
/// `schema.rs`. That is so for a domain, for an array whose elements cannot be NULL, and for a type
/// that diesel's type of this name does not read.
pub(super) fn via(
    schema: &SchemaPlan,
    found: &SchemaColumn,
    patched: Option<&str>,
    mapped: &Mapped,
) -> Option<Wire> {
    let shown = &found.shown;
    let wire = &mapped.wire;
    let is_whole = !mapped.rust_type.owned.starts_with("Vec<Option<");
    let is_named = match wire.sql_type.module() {
        Some(_) => {
            let mut custom = schema.custom_types.iter();
            custom.any(|custom| custom.marks(&shown.name))
        }
        None => wire.sql_type.is_shown(),
    };
    let is_shown = wire.read.is_none()
        && shown.name == mapped.base
        && is_named
        && (!shown.is_array || is_whole == patched.is_some_and(is_whole_array));
    if is_shown {
        return None;
    }
    let mut wire = wire.clone();
    if shown.is_nullable {
        wire.sql_type = wire.sql_type.nullable();
    }
    Some(wire)
}

/// Returns true for the SQL type of an array in which no element is NULL, which only a patch file
/// can state.
fn is_whole_array(sql_type: &str) -> bool {
    sql_type.contains("Array<") && !sql_type.contains("Array<Nullable<")
}

/// Returns the id type of a column, and the table that it belongs to; `None` if the foreign key
/// refers to a column of another SQL type.
pub(super) fn foreign_id(
    source: &Source<'_>,
    relation: &Relation,
    column: &str,
) -> Option<(Name, IdPlan)> {
    let owner = id_owner(source, relation, column, 0)?;
    let id = own_id(source, source.catalog.relations.get(&owner)?)?;
    let (_, shown) = source.shown(relation, column)?;
    (sql_type_of_shown(shown) == Some(id.sql_type.as_str())).then_some((owner, id))
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
pub(super) fn own_id(source: &Source<'_>, relation: &Relation) -> Option<IdPlan> {
    let key = source.settings.row_key(relation)?;
    let [key] = key.as_slice() else {
        return None;
    };
    if id_owner(source, relation, key, 0)? != relation.name {
        return None;
    }
    let column = relation.columns.iter().find(|column| column.name == *key)?;
    let (_, shown) = source.shown(relation, key)?;
    // A domain may be shown as its base type, but not every value of that type is valid.
    if column.data_type.name != shown.name {
        return None;
    }
    let sql_type = sql_type_of_shown(shown)?;
    let inner = source
        .mapping
        .of(source.catalog, &column.data_type, false)?
        .rust_type;
    Some(IdPlan {
        name: format!("{}Id", row_name(source.catalog, relation, source.settings)),
        import: inner
            .imports
            .into_iter()
            .find(|import| !import.starts_with("std::")),
        inner: inner.owned,
        extra_derives: {
            let of_table = of_name(&source.settings.tables, &relation.name);
            let own = of_table.map(|table| &table.id_derives);
            let all = &source.settings.derives.id;
            all.iter()
                .chain(own.into_iter().flatten())
                .cloned()
                .collect()
        },
        sql_type: sql_type.to_owned(),
    })
}

/// Returns diesel's name for the SQL type of an id.
fn sql_type_of_shown(shown: &ShownType) -> Option<&'static str> {
    (!shown.is_array).then(|| sql_type_of_id(&shown.name))?
}
