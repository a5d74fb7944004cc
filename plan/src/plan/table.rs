//! The types of one table: its id, row, `New`, `Changes` and constraints.

mod constraints;
mod data;
mod types;

use crate::project::{ColumnSettings, Settings, TableSettings, of_name};
use bowline_catalog::attached::{Event, Timing};
use bowline_catalog::{Catalog, Column, Fill, Name, Relation, RelationKind, TypeKind};

use super::calls::calls;
use super::english::singular;
use super::file_name::file_name;
use super::mapping::Mapping;
use super::modules::Modules;
use super::names::{argument_name, distinct, module_name, own_type_name};
use super::patched::PatchedSchema;
use super::roles::{Roles, without_role};
use super::rust_type::Mapped;
use super::schema::{SchemaPlan, SchemaTable, ShownType, is_generated};
use super::text_columns::TextColumns;
use super::views::is_view;
use super::views::writable::writes;
use super::written;

use constraints::constraints;
pub use data::{ConstraintPlan, Field, IdPlan, TablePlan};
use types::{column_type, foreign_id, own_id, via};

/// The input of a table's plan.
pub(super) struct Source<'a> {
    pub catalog: &'a Catalog,
    pub settings: &'a Settings,
    pub mapping: &'a Mapping,
    pub schemas: &'a [SchemaPlan],
    /// Each `schema.rs` after its patch file, if it has one.
    pub patched: &'a [Option<PatchedSchema>],
    /// Names of files that are in use.
    pub taken_files: &'a [String],
    /// The modules of schemas other than `public`.
    pub modules: &'a Modules,
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

/// Returns one of a column's lists of attributes.
/// Returns the casts of a parameter that is compared with a column and sent as another type.
///
/// diesel sends a `char(n)` as a text, and PostgreSQL would compare it as one: with its blanks, and
/// without an index (manual, section 8.3).
fn compared_as(mapped: &Mapped) -> Option<String> {
    let Mapped {
        base, rust_type, ..
    } = mapped;
    let is_padded = base.schema == "pg_catalog" && base.name == "bpchar";
    (is_padded && !rust_type.is_array()).then(|| "text::bpchar".to_owned())
}

fn attributes(
    setting: Option<&ColumnSettings>,
    list: impl Fn(&ColumnSettings) -> &Vec<String>,
) -> Vec<String> {
    setting
        .map(|setting| list(setting).clone())
        .unwrap_or_default()
}

pub(super) fn plan(
    source: &Source<'_>,
    relation: &Relation,
    text_columns: &mut TextColumns,
    notes: &mut Vec<String>,
) -> Option<TablePlan> {
    let Source {
        catalog, settings, ..
    } = *source;
    let (index, schema, table) = source.find(&relation.name)?;
    let patched = source.patched.get(index).and_then(Option::as_ref);
    let row = row_name(catalog, relation, settings);
    let key = settings.row_key(relation).unwrap_or_default();
    let writes = writes(catalog, relation, settings);
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
        let why = if patched == Some(None) {
            "the patch file removes it from the schema".to_owned()
        } else if let Some(mapped) = column_type(source, relation, column, found, patched.flatten())
        {
            if mapped.is_text {
                text_columns.add(catalog, source.mapping, relation, column);
            }
            let via = via(schema, found, patched.flatten(), &mapped);
            let bare = mapped.rust_type.is_never_nullable && found.shown.is_nullable;
            let bare = bare.then(|| mapped.wire.sql_type.clone());
            let cast = compared_as(&mapped).or(mapped.wire.write);
            fields.push((column, found, mapped.rust_type, via, cast, bare));
            continue;
        } else {
            format!("no value has the type {}", column.data_type.sql())
        };
        let is_required = !found.shown.is_nullable && !is_filled(catalog, column) && writes.insert;
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
    let arguments = distinct(
        fields
            .iter()
            .map(|(_, found, ..)| argument_name(&found.rust_name)),
    );
    let all: Vec<(&Column, Field)> = fields
        .into_iter()
        .zip(arguments)
        .map(
            |((column, found, rust_type, via, cast, bare), argument_name)| {
                let setting = settings.column(&relation.name, &column.name);
                let field = Field {
                    name: found.rust_name.clone(),
                    argument_name,
                    sql_name: column.name.clone(),
                    rust_type,
                    via,
                    cast,
                    bare,
                    is_composite: is_composite(catalog, column),
                    rename: setting.and_then(|setting| setting.rename.clone()),
                    attributes: attributes(setting, |it| &it.attributes),
                    new_attributes: attributes(setting, |it| &it.new_attributes),
                    changes_attributes: attributes(setting, |it| &it.changes_attributes),
                    skip_serializing: setting.is_some_and(|setting| setting.skip_serializing),
                    skip_deserializing: setting.is_some_and(|setting| setting.skip_deserializing),
                    base: column.data_type.clone(),
                    is_given: setting.is_some_and(|setting| setting.rust_type.is_some())
                        || source.mapping.has_own_type(catalog, &column.data_type),
                    options: usize::from(found.shown.is_nullable),
                    comment: column.comment.as_deref().and_then(without_role),
                };
                (column, field)
            },
        )
        .collect();
    let is_listed = |column: &Column| {
        let setting = settings.column(&relation.name, &column.name);
        setting.is_none_or(|setting| !setting.leave_out_of_lists)
    };
    let list_fields = if all.iter().all(|(column, _)| is_listed(column)) {
        Vec::new()
    } else {
        let listed = all.iter().filter(|(column, _)| is_listed(column));
        listed.map(|(_, field)| field.clone()).collect()
    };
    let roles = Roles::of(relation, settings);
    let of_table = of_name(&settings.tables, &relation.name);
    let derives = |all: &[String], own: fn(&TableSettings) -> &Vec<String>| {
        let own = of_table.into_iter().flat_map(own);
        all.iter().chain(own).cloned().collect::<Vec<String>>()
    };
    let extra_derives = derives(&settings.extra_derives, |table| &table.derives);
    let new_derives = derives(&settings.derives.new, |table| &table.new_derives);
    let changes_derives = derives(&settings.derives.changes, |table| &table.changes_derives);
    // A row that is written needs a value, though rows of a child, or older ones, have NULL.
    let is_demanded = |column: &Column| column.not_null_constraint.is_some();
    let more = |(column, field): &(&Column, Field), options: usize| Field {
        options: match is_demanded(column) {
            true => options,
            false => field.options + options,
        },
        ..field.clone()
    };
    let always = |column: &Column| matches!(column.fill, Fill::Identity { always: true });
    let overrides = |column: &Column| {
        let setting = settings.column(&relation.name, &column.name);
        setting.is_some_and(|setting| setting.overriding_system_value)
    };
    let is_given = |column: &Column| !always(column) || overrides(column);
    let new_fields: Vec<Field> = all
        .iter()
        .filter(|(column, _)| {
            !is_generated(&column.fill) && is_given(column) && !roles.contains(&column.name)
        })
        .map(|it| more(it, usize::from(is_filled(catalog, it.0))))
        .collect();
    let changes_fields = all
        .iter()
        .filter(|(column, _)| {
            !is_generated(&column.fill)
                && !always(column)
                && !key.contains(&column.name)
                && !roles.contains(&column.name)
        })
        .map(|it| more(it, 1))
        .collect();
    let mut foreign_ids: Vec<String> = all
        .iter()
        .filter_map(|(column, _)| foreign_id(source, relation, &column.name))
        .filter(|(owner, _)| *owner != relation.name && owner.schema == relation.name.schema)
        .map(|(_, id)| id.name)
        .collect();
    foreign_ids.sort();
    foreign_ids.dedup();
    let schema_module = source.modules.get(&relation.name.schema);
    let file = match schema_module {
        Some(module) => format!("{module}_{}", table.rust_name),
        None => table.rust_name.clone(),
    };
    Some(TablePlan {
        name: relation.name.clone(),
        sql_name: relation.name.name.clone(),
        schema_path: schema.path.clone()?,
        schema_name: table.rust_name.clone(),
        module: {
            let all = [&extra_derives, &new_derives, &changes_derives];
            let all: Vec<String> = all.into_iter().flatten().cloned().collect();
            module_name(&table.rust_name, &all)
        },
        file: file_name(&file, source.taken_files),
        schema_module: schema_module.cloned(),
        noun: singular(&relation.name.name).replace(['_', '\n', '\r'], " "),
        comment: relation.comment.clone(),
        id: own_id(source, relation),
        fields: all.iter().map(|(_, field)| field.clone()).collect(),
        // Without an insert there is no `New`.
        new_fields: if missing.is_empty() && writes.insert {
            new_fields
        } else {
            Vec::new()
        },
        changes_fields,
        new_body: of_table.map_or(Vec::new(), |table| table.new_body.clone()),
        changes_body: of_table.map_or(Vec::new(), |table| table.changes_body.clone()),
        constraints: constraints(relation),
        functions: Vec::new(),
        without_list: Vec::new(),
        relations: Vec::new(),
        foreign_ids,
        extra_derives,
        new_derives,
        changes_derives,
        rename_all: of_table
            .and_then(|table| table.rename_all)
            .or(settings.rename_all),
        deny_unknown_fields: settings.deny_unknown_fields,
        roles,
        list_fields,
        database: settings.database.clone(),
        overridden: {
            let overridden = relation.columns.iter().filter(|column| overrides(column));
            overridden.map(|column| column.name.clone()).collect()
        },
        only_reads: matches!(
            relation.kind,
            RelationKind::Table
                | RelationKind::PartitionedTable
                | RelationKind::Partition
                | RelationKind::MaterializedView
        ) && relation.attached.policies.is_empty(),
        calls: calls(catalog, relation),
        missing,
        inserts_one_row: written::inserts_one_row(relation),
        updates_at_most_one_row: written::updates_at_most_one_row(catalog, relation, &key),
        is_view: is_view(relation),
        writes,
        is_qualified: of_table.is_some_and(|table| table.qualified),
        insertable: settings.insertable,
        key,
        row,
    })
}

/// Returns true for a column of a composite type, or of a domain over one.
fn is_composite(catalog: &Catalog, column: &Column) -> bool {
    let base = super::mapping::base(catalog, &column.data_type);
    let kind = catalog.types.get(&base.name).map(|found| &found.kind);
    base.dimensions == 0 && matches!(kind, Some(TypeKind::Composite { .. }))
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

fn row_name(catalog: &Catalog, relation: &Relation, settings: &Settings) -> String {
    let own = |relation: &Relation| {
        let given = of_name(&settings.names, &relation.name).cloned();
        given.unwrap_or_else(|| own_type_name(&singular(&relation.name.name), "Row"))
    };
    let name = own(relation);
    // A view may have the name that the rows of a table have.
    let is_taken = |other: &Relation| {
        !is_view(other) && other.name.schema == relation.name.schema && own(other) == name
    };
    if is_view(relation) && catalog.relations.values().any(is_taken) {
        format!("{name}View")
    } else {
        name
    }
}
