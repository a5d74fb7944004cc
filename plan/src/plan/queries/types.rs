//! The Rust types of parameters and columns.

use std::collections::BTreeSet;

use bowline_catalog::query::{Column, Parameter, Row};
use bowline_catalog::{Catalog, DataType, Name, TypeKind};

use super::super::names::type_name;
use super::super::rust_type::{self, RustType};
use super::super::{Plan, TablePlan};
use super::nested::ROW_OF;
use super::{ArgumentPlan, Uses};

/// Finds types, and collects what a file has to import for them.
pub(super) struct Types<'p> {
    catalog: &'p Catalog,
    plan: &'p Plan,
    uses: Uses,
}

/// A type that is not an array.
struct Scalar {
    rust_type: RustType,
    sql_type: String,
}

impl<'p> Types<'p> {
    pub(super) fn new(catalog: &'p Catalog, plan: &'p Plan) -> Self {
        Self {
            catalog,
            plan,
            uses: Uses::default(),
        }
    }

    /// Returns what the types that were found are imported from.
    pub(super) fn into_uses(mut self) -> Uses {
        let Uses {
            imports, schemas, ..
        } = &mut self.uses;
        imports.sort();
        imports.dedup();
        schemas.sort();
        schemas.dedup();
        self.uses
    }

    /// Returns the argument for a parameter; its name is left to the caller. Fails with the type
    /// that has no counterpart in Rust.
    pub(super) fn argument(
        &mut self,
        parameter: &Parameter,
        is_nullable: bool,
    ) -> Result<ArgumentPlan, String> {
        let data_type = self.base(&parameter.data_type).clone();
        let scalar = self.scalar(&data_type, parameter.column.as_ref())?;
        let (rust_type, sql_type) = if data_type.dimensions > 0 {
            (
                format!("&[{}]", scalar.rust_type.owned),
                format!("sql_types::Array<{}>", scalar.sql_type),
            )
        } else {
            (scalar.rust_type.argument, scalar.sql_type)
        };
        let (rust_type, sql_type) = if is_nullable {
            (format!("Option<{rust_type}>"), nullable(&sql_type))
        } else {
            (rust_type, sql_type)
        };
        Ok(ArgumentPlan {
            name: String::new(),
            rust_type,
            sql_type,
            oids: oids(&data_type),
        })
    }

    /// Returns the Rust type and the SQL type of a column of a result. Fails with the type that has
    /// no counterpart in Rust.
    pub(super) fn column(&mut self, column: &Column) -> Result<(String, String), String> {
        let data_type = self.base(&column.data_type).clone();
        let scalar = self.scalar(&data_type, column.column.as_ref())?;
        let (mut rust_type, mut sql_type) = (scalar.rust_type.owned, scalar.sql_type);
        if data_type.dimensions > 0 {
            rust_type = format!("Vec<Option<{rust_type}>>");
            sql_type = format!("sql_types::Array<{}>", nullable(&sql_type));
        }
        if column.nullable {
            (rust_type, sql_type) = (format!("Option<{rust_type}>"), nullable(&sql_type));
        }
        Ok((rust_type, sql_type))
    }

    /// Returns the Rust type and the SQL type of a column of rows, whose struct has this name.
    pub(super) fn of_rows(&self, column: &Column, row: &Row, name: &str) -> (String, String) {
        let mut rust_type = name.to_owned();
        let mut sql_type = format!("{ROW_OF}<{name}>");
        if column.data_type.dimensions > 0 {
            if row.has_null_elements {
                (rust_type, sql_type) = (format!("Option<{rust_type}>"), nullable(&sql_type));
            }
            rust_type = format!("Vec<{rust_type}>");
            sql_type = format!("sql_types::Array<{sql_type}>");
        }
        if column.nullable {
            (rust_type, sql_type) = (format!("Option<{rust_type}>"), nullable(&sql_type));
        }
        (rust_type, sql_type)
    }

    /// Notes that a type of the other generated files is used.
    pub(super) fn uses(&mut self, name: &str) {
        self.uses.types.push(name.to_owned());
    }

    /// Returns true for the type of rows, and of arrays of rows.
    pub(super) fn is_row(&self, data_type: &DataType) -> bool {
        let name = &data_type.name;
        let kind = self.catalog.types.get(name).map(|found| &found.kind);
        self.catalog.relations.contains_key(name)
            || matches!(kind, Some(TypeKind::Composite { .. }))
            || (name.schema == "pg_catalog" && name.name == "record")
    }

    /// Returns the base type of a domain.
    fn base<'t>(&'t self, data_type: &'t DataType) -> &'t DataType {
        let mut base = data_type;
        while base.dimensions == 0
            && let Some(found) = self.catalog.types.get(&base.name)
            && let TypeKind::Domain { base: of, .. } = &found.kind
        {
            base = of;
        }
        base
    }

    /// Returns the type, or that of an array's elements.
    fn scalar(
        &mut self,
        data_type: &DataType,
        column: Option<&(Name, String)>,
    ) -> Result<Scalar, String> {
        let mut scalar = self.of_name(&data_type.name).ok_or_else(|| {
            format!(
                "type {}, for which there is no Rust type",
                data_type.format_type()
            )
        })?;
        if let Some(id) = column.and_then(|column| self.id(column, &data_type.name)) {
            scalar.rust_type = id.clone();
            self.uses.types.push(id.owned);
        }
        let imports = scalar.rust_type.imports.iter();
        let imports = imports.filter(|import| !import.starts_with("std::"));
        self.uses.imports.extend(imports.cloned());
        Ok(scalar)
    }

    fn of_name(&mut self, name: &Name) -> Option<Scalar> {
        let mut enums = self.plan.enums.iter();
        if let Some(found) = enums.find(|found| found.sql_name == *name) {
            let (schema, marker) = found.markers.first()?;
            self.uses.schemas.push(schema.clone());
            self.uses.types.push(found.name.clone());
            let module = schema.rsplit("::").next().unwrap_or_default();
            return Some(Scalar {
                rust_type: RustType::copied(&found.name, None),
                sql_type: format!("{module}::sql_types::{marker}"),
            });
        }
        let is_citext = name.name == "citext"
            && matches!(
                self.catalog.types.get(name).map(|found| &found.kind),
                Some(TypeKind::External)
            );
        if name.schema != "pg_catalog" && !is_citext {
            return None;
        }
        Some(Scalar {
            rust_type: rust_type::builtin(&name.name)?,
            sql_type: format!("sql_types::{}", type_name(&name.name)),
        })
    }

    /// Returns the id type of a column, if its values have this SQL type.
    fn id(&self, (relation, column): &(Name, String), name: &Name) -> Option<RustType> {
        let table = table(self.plan, relation)?;
        let field = table
            .fields
            .iter()
            .find(|field| field.sql_name == *column)?;
        let ids: BTreeSet<(&str, &str)> = self
            .plan
            .tables
            .iter()
            .filter_map(|table| table.id.as_ref())
            .map(|id| (id.name.as_str(), id.sql_type.as_str()))
            .collect();
        let sql_type = rust_type::sql_type_of_name(name)?;
        ids.contains(&(&*field.rust_type.owned, sql_type))
            .then(|| field.rust_type.clone())
    }
}

/// Returns the planned table of a relation.
pub(super) fn table<'p>(plan: &'p Plan, relation: &Name) -> Option<&'p TablePlan> {
    plan.tables.iter().find(|table| table.name == *relation)
}

pub(super) fn nullable(sql_type: &str) -> String {
    format!("sql_types::Nullable<{sql_type}>")
}

/// Returns the OID of a type that diesel sends as text, and that of an array's elements: PostgreSQL
/// compares a `character` in another way than a text.
fn oids(data_type: &DataType) -> Option<(u32, Option<u32>)> {
    if data_type.name.schema != "pg_catalog" {
        return None;
    }
    let (scalar, array) = match data_type.name.name.as_str() {
        "bpchar" => (1042, 1014),
        "varchar" => (1043, 1015),
        _ => return None,
    };
    Some(if data_type.dimensions > 0 {
        (array, Some(scalar))
    } else {
        (scalar, None)
    })
}
