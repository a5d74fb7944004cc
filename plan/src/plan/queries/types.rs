//! The Rust types of parameters and columns.

use bowline_catalog::query::{Column, Parameter, Row};
use bowline_catalog::{Catalog, DataType, Name, TypeKind};

use super::super::mapping::{base, list};
use super::super::own_types::oids;
use super::super::rust_type::{Mapped, RustType, Wire, sql_type_of_id};
use super::super::{Field, Plan, TablePlan};
use super::nested::ROW_OF;
use super::{ArgumentPlan, Uses};

/// Finds types, and collects what a file has to import for them.
pub(super) struct Types<'p> {
    catalog: &'p Catalog,
    plan: &'p Plan,
    uses: Uses,
}

/// The way in which a result column is read.
pub(super) struct ReadColumn {
    pub(super) rust_type: String,
    pub(super) sql_type: String,
    /// The type that the SQL casts it to.
    pub(super) cast: Option<String>,
    pub(super) by_json: bool,
}

impl<'p> Types<'p> {
    pub(super) fn new(catalog: &'p Catalog, plan: &'p Plan) -> Self {
        Self {
            catalog,
            plan,
            uses: Uses::default(),
        }
    }

    /// Returns the imports of the types that were found.
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

    /// Returns true if the file imports a type of this name.
    pub(super) fn uses_type(&self, name: &str) -> bool {
        self.uses.types.iter().any(|used| used == name)
    }

    /// Returns the argument for a parameter; its name is left to the caller. Fails with the type
    /// that has no counterpart in Rust.
    pub(super) fn argument(
        &mut self,
        parameter: &Parameter,
        is_nullable: bool,
    ) -> Result<ArgumentPlan, String> {
        let data_type = base(self.catalog, &parameter.data_type);
        // The elements of an array parameter are not NULL.
        let mapped = self.mapped(&parameter.data_type, parameter.column.as_ref(), true)?;
        let RustType {
            owned, argument, ..
        } = &mapped.rust_type;
        let rust_type = match owned
            .strip_prefix("Vec<")
            .and_then(|it| it.strip_suffix('>'))
        {
            Some(element) if mapped.rust_type.is_array() => format!("&[{element}]"),
            _ => argument.clone(),
        };
        let Wire {
            sql_type, write, ..
        } = mapped.wire;
        let (rust_type, sql_type) = if is_nullable {
            (format!("Option<{rust_type}>"), sql_type.nullable())
        } else {
            (rust_type, sql_type)
        };
        let oids = oids(&data_type).filter(|_| write.is_none());
        Ok(ArgumentPlan {
            name: String::new(),
            rust_type,
            sql_type: sql_type.in_queries(),
            oids,
            cast: write,
            condition: None,
        })
    }

    /// Returns the way in which a result column is read. Fails with the type that has no
    /// counterpart in Rust.
    pub(super) fn column(&mut self, column: &Column) -> Result<ReadColumn, String> {
        let origin = column.column.as_ref();
        let field = origin.and_then(|origin| field(self.plan, origin));
        let is_whole = field.is_some_and(|field| {
            field.rust_type.is_array() && !field.rust_type.owned.starts_with("Vec<Option<")
        });
        let mapped = self.mapped(&column.data_type, origin, is_whole)?;
        let (mut rust_type, mut sql_type) = (mapped.rust_type.owned, mapped.wire.sql_type);
        if column.nullable {
            (rust_type, sql_type) = (format!("Option<{rust_type}>"), sql_type.nullable());
        }
        Ok(ReadColumn {
            rust_type,
            sql_type: sql_type.in_queries(),
            cast: mapped.wire.read,
            by_json: mapped.rust_type.by_json,
        })
    }

    /// Returns the way in which a column with rows is read, whose struct has this name.
    pub(super) fn of_rows(&self, column: &Column, row: &Row, name: &str) -> ReadColumn {
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
        ReadColumn {
            rust_type,
            sql_type,
            cast: None,
            by_json: false,
        }
    }

    /// Returns true for the type of rows, and of arrays of rows.
    pub(super) fn is_row(&self, data_type: &DataType) -> bool {
        let name = &data_type.name;
        let kind = self.catalog.types.get(name).map(|found| &found.kind);
        self.catalog.relations.contains_key(name)
            || matches!(kind, Some(TypeKind::Composite { .. }))
            || (name.schema == "pg_catalog" && name.name == "record")
    }

    /// Returns the declared type of the column from which a value comes. To PostgreSQL, arrays of
    /// any number of dimensions are one type, and so are geometries of all kinds.
    fn declared<'t>(&self, data_type: &'t DataType, column: Option<&(Name, String)>) -> &'t DataType
    where
        'p: 't,
    {
        let declared = column.and_then(|(relation, name)| {
            let columns = &self.catalog.relations.get(relation)?.columns;
            let column = columns.iter().find(|column| column.name == *name)?;
            Some(&column.data_type)
        });
        let is_same = |declared: &&DataType| {
            let is_array = data_type.dimensions > 0;
            // The kind of a geometry.
            let has_kind = declared.fields.is_some() && is_array == (declared.dimensions > 0);
            declared.name == data_type.name && (has_kind || declared.dimensions > 1 && is_array)
        };
        declared.filter(is_same).unwrap_or(data_type)
    }

    /// Returns the type that a column of a result is cast to.
    pub(super) fn cast(&self, column: &Column) -> Option<String> {
        if column.row.is_some() {
            return None;
        }
        let data_type = self.declared(&column.data_type, column.column.as_ref());
        let mapping = &self.plan.mapping;
        let mapped = mapping.of(self.catalog, data_type, false)?;
        mapped.wire.read
    }

    /// Returns the counterpart of a type; for a key that is the type of the id.
    fn mapped(
        &mut self,
        data_type: &DataType,
        column: Option<&(Name, String)>,
        is_whole: bool,
    ) -> Result<Mapped, String> {
        let data_type = self.declared(data_type, column);
        let mapping = &self.plan.mapping;
        let mut mapped = mapping
            .of(self.catalog, data_type, is_whole)
            .ok_or_else(|| {
                format!(
                    "type {}, for which there is no Rust type",
                    data_type.format_type()
                )
            })?;
        let given = column.and_then(|column| field(self.plan, column));
        // The type of a domain can name its own Rust type.
        let given = given.filter(|field| {
            field.is_given
                && reads_alike(&base(self.catalog, &field.base).name, &mapped.base)
                && !mapping.has_own_type(self.catalog, data_type)
        });
        if let Some(field) = given {
            let given = &field.rust_type;
            let elements = given.owned.strip_prefix("Vec<Option<");
            let elements = elements.and_then(|it| it.strip_suffix(">>"));
            match (elements, data_type.dimensions) {
                (Some(element), 1) if is_whole => {
                    mapped.rust_type = RustType {
                        of_types: given.of_types.clone(),
                        ..RustType::cloned(&format!("Vec<{element}>"), None)
                    };
                }
                // A value is compared with each element of an array.
                (None, 1) if !given.is_array() => {
                    mapped.rust_type = list(given.clone(), is_whole);
                }
                (_, dimensions) if given.is_array() == (dimensions == 1) => {
                    mapped.rust_type = given.clone();
                }
                _ => {}
            }
        } else if let Some(id) = column.and_then(|column| self.id(column, &mapped.base)) {
            let plain = mapped.rust_type.owned.clone();
            let element = plain
                .trim_start_matches("Vec<")
                .trim_start_matches("Option<");
            let element = element.trim_end_matches('>');
            mapped.rust_type = if mapped.rust_type.is_array() {
                RustType::cloned(&plain.replace(element, &id.owned), None)
            } else {
                id
            };
        }
        self.uses.types.extend(mapped.rust_type.of_types.clone());
        let module = mapped.wire.sql_type.module();
        self.uses.schemas.extend(module.map(str::to_owned));
        let imports = mapped.rust_type.imports.iter();
        let imports = imports.filter(|import| !import.starts_with("std::"));
        self.uses.imports.extend(imports.cloned());
        Ok(mapped)
    }

    /// Returns the id type of a column, if its values have this SQL type.
    fn id(&mut self, column: &(Name, String), name: &Name) -> Option<RustType> {
        let rust_type = &field(self.plan, column)?.rust_type;
        let owner = table(self.plan, rust_type.id_of.as_deref()?)?;
        let id = owner.id.as_ref()?;
        if sql_type_of_id(name)? != id.sql_type {
            return None;
        }
        let is_copied = !rust_type.argument.starts_with('&');
        let id = self.of_module(owner, &id.name);
        Some(if is_copied {
            RustType::copied(&id, None)
        } else {
            RustType::cloned(&id, None)
        })
    }

    /// Returns the row's type of a table, as a query file names it.
    pub(super) fn row_of(&mut self, table: &TablePlan) -> String {
        self.of_module(table, &table.row)
    }

    /// Returns a type of a table's file, with the module of its schema.
    fn of_module(&mut self, table: &TablePlan, name: &str) -> String {
        match &table.schema_module {
            Some(module) => {
                self.uses.schemas.push(format!("super::{module}"));
                format!("{module}::{name}")
            }
            None => {
                self.uses.types.push(name.to_owned());
                name.to_owned()
            }
        }
    }
}

/// Returns the field of a column in the row of its table.
fn field<'p>(plan: &'p Plan, (relation, column): &(Name, String)) -> Option<&'p Field> {
    let mut fields = table(plan, relation)?.fields.iter();
    fields.find(|field| field.sql_name == *column)
}

/// Returns the planned table of a relation.
pub(super) fn table<'p>(plan: &'p Plan, relation: &Name) -> Option<&'p TablePlan> {
    plan.tables.iter().find(|table| table.name == *relation)
}

fn nullable(sql_type: &str) -> String {
    format!("sql_types::Nullable<{sql_type}>")
}

/// Returns true if diesel has one type for both: a parameter that is compared with a `varchar` is a
/// text.
fn reads_alike(one: &Name, other: &Name) -> bool {
    let is_text = |name: &Name| {
        name.schema == "pg_catalog" && matches!(name.name.as_str(), "text" | "varchar" | "bpchar")
    };
    one == other || (is_text(one) && is_text(other))
}
