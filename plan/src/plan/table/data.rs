//! The plan of one table, as plain data.

use crate::project::RenameAll;
use bowline_catalog::{DataType, Name};

use super::super::function::Function;
use super::super::relations::RelationPlan;
use super::super::roles::Roles;
use super::super::rust_type::{RustType, SqlType, Wire};
use super::super::views::writable::Writes;

/// The file of one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TablePlan {
    /// The name of the table with its schema.
    pub name: Name,
    /// The name of the table as SQL.
    pub sql_name: String,
    /// The path of the schema module: `super::schema`.
    pub schema_path: String,
    /// The module in `schema.rs`.
    pub schema_name: String,
    /// The name of that module in the file: the same, unless the file uses that name otherwise.
    pub module: String,
    /// The name of the file without its extension.
    pub file: String,
    /// The module that exports the types, for a table of another schema than `public`.
    pub schema_module: Option<String>,
    /// The row's type.
    pub row: String,
    /// The noun for a row: `account label`.
    pub noun: String,
    /// The comment in the database.
    pub comment: Option<String>,
    /// The type of its id, if it has one.
    pub id: Option<IdPlan>,
    /// Columns of the primary key, or of the unique index that serves as one.
    pub key: Vec<String>,
    /// The fields of the row.
    pub fields: Vec<Field>,
    /// The columns that an INSERT can give: the fields of `Values`, of which `New` has those that
    /// each row needs.
    pub new_fields: Vec<Field>,
    /// The fields of `Changes`.
    pub changes_fields: Vec<Field>,
    /// The columns of the request that inserts a row, if a setting names some.
    pub new_body: Vec<String>,
    /// The columns of the request that changes a row, with the version to compare.
    pub changes_body: Vec<String>,
    /// The variants of the constraint enum.
    pub constraints: Vec<ConstraintPlan>,
    /// The functions of the table.
    pub functions: Vec<Function>,
    /// The indexes that serve no list: names and reasons.
    pub without_list: Vec<(String, String)>,
    /// The relations of its rows.
    pub relations: Vec<RelationPlan>,
    /// Ids of other tables that this file names: module and type.
    pub foreign_ids: Vec<String>,
    /// Derives of the row from the settings.
    pub extra_derives: Vec<String>,
    /// Derives of `New` from the settings.
    pub new_derives: Vec<String>,
    /// Derives of `Changes` from the settings.
    pub changes_derives: Vec<String>,
    /// serde's `rename_all`.
    pub rename_all: Option<RenameAll>,
    /// True if JSON with another field is not read.
    pub deny_unknown_fields: bool,
    /// The columns with a role.
    pub roles: Roles,
    /// The fields of the rows of lists; empty if lists have whole rows.
    pub list_fields: Vec<Field>,
    /// The name of the database, for a program that opens several.
    pub database: Option<String>,
    /// The columns that are `GENERATED ALWAYS AS IDENTITY` and that an INSERT can give. No UPDATE
    /// can.
    pub overridden: Vec<String>,
    /// True if queries certainly only read: the relation is a table without policies, which could
    /// call a function that writes.
    pub only_reads: bool,
    /// The functions that a read calls through views and policies: names, separated by spaces.
    pub calls: String,
    /// Columns that an INSERT needs a value for, but that the row does not have.
    pub missing: Vec<String>,
    /// True if an INSERT of one row writes one row, or fails.
    pub inserts_one_row: bool,
    /// True if an UPDATE by the key that finds no row changes nothing.
    pub updates_at_most_one_row: bool,
    /// True for a view or a materialized view.
    pub is_view: bool,
    /// True if the SQL of its functions names the schema `public` too.
    pub is_qualified: bool,
    /// The statements that its functions send.
    pub(in super::super) writes: Writes,
    /// True if diesel's own inserts and updates take `New` and `Changes`.
    pub insertable: bool,
}

/// The type of a table's id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdPlan {
    pub name: String,
    pub inner: String,
    pub import: Option<String>,
    pub sql_type: String,
    /// Derives from the settings.
    pub extra_derives: Vec<String>,
}

/// A field of a struct.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// The name in Rust.
    pub name: String,
    /// The name of a function's argument for this field.
    pub argument_name: String,
    /// The name in PostgreSQL.
    pub sql_name: String,
    /// The type in Rust.
    pub rust_type: RustType,
    /// The way in which its values are sent and read, if that is not by the type of `schema.rs`.
    pub via: Option<Wire>,
    /// The types that a parameter is cast to where it is compared with the column.
    pub cast: Option<String>,
    /// The SQL type that a value which cannot be NULL is sent as, if that is not the one of the
    /// column.
    pub bare: Option<SqlType>,
    /// True for a composite type, or a domain over one.
    pub is_composite: bool,
    /// The name in JSON, from the settings.
    pub rename: Option<String>,
    /// True if the row in JSON has no such field.
    pub skip_serializing: bool,
    /// True if it is not read from JSON.
    pub skip_deserializing: bool,
    /// Attributes of the row's field, from the settings.
    pub attributes: Vec<String>,
    /// Attributes of its field in `New` and in `Values`.
    pub new_attributes: Vec<String>,
    /// Attributes of its field in `Changes`.
    pub changes_attributes: Vec<String>,
    /// True if a setting names the type, or that of its domain.
    pub is_given: bool,
    /// The type in PostgreSQL.
    pub base: DataType,
    /// The number of `Option`s around the type.
    pub options: usize,
    /// The comment in the database.
    pub comment: Option<String>,
}

/// A variant of the constraint enum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConstraintPlan {
    pub variant: String,
    pub sql_name: String,
    /// The definition in SQL.
    pub definition: String,
}

impl TablePlan {
    /// Returns the names of the types in the file.
    pub fn type_names(&self) -> Vec<String> {
        let mut names = vec![self.row.clone()];
        names.extend(self.id.as_ref().map(|id| id.name.clone()));
        if !self.list_fields.is_empty() {
            names.push(self.listed_type());
        }
        if !self.new_fields.is_empty() {
            names.push(self.new_type());
        }
        if self.has_values_type() {
            names.push(self.values_type());
        }
        if !self.changes_fields.is_empty() {
            names.push(self.changes_type());
        }
        if !self.constraints.is_empty() {
            names.push(self.constraint_type());
        }
        if !self.new_body.is_empty() {
            names.push(self.new_body_type());
            names.extend((!self.rest_fields().is_empty()).then(|| self.rest_type()));
        }
        if !self.changes_body.is_empty() {
            names.push(self.changes_body_type());
        }
        names.extend(self.functions.iter().filter_map(|function| match function {
            Function::ListOrdered(list) => Some(list.position.clone()),
            _ => None,
        }));
        names
    }

    /// Removes the fields of `Changes` if a relation without a key has no function that takes them.
    pub(in super::super) fn leave_out_unused(&mut self) {
        let takes_changes =
            |function: &Function| matches!(function, Function::Update | Function::Upsert { .. });
        let is_taken = self.functions.iter().any(takes_changes);
        if !is_taken && (self.key.is_empty() || self.is_view) {
            self.changes_fields.clear();
        }
    }

    /// Returns the row's type with the module of its schema: `audit::Event`.
    pub fn full_row(&self) -> String {
        match &self.schema_module {
            Some(module) => format!("{module}::{}", self.row),
            None => self.row.clone(),
        }
    }

    /// Returns the name of the struct with the columns that each new row needs.
    pub fn new_type(&self) -> String {
        format!("New{}", self.row)
    }

    /// Returns the name of the struct with all columns that a new row can give.
    pub fn values_type(&self) -> String {
        format!("{}Values", self.row)
    }

    /// Returns true if a new row can give columns that it does not need to give. Without any,
    /// `New` has all columns.
    pub fn has_values_type(&self) -> bool {
        self.new_fields.iter().any(|field| field.options > 0)
    }

    /// Returns the name of the struct that an INSERT sends.
    pub fn inserted_type(&self) -> String {
        if self.has_values_type() {
            self.values_type()
        } else {
            self.new_type()
        }
    }

    /// Returns the fields of `New`.
    pub fn required_fields(&self) -> Vec<Field> {
        let fields = self.new_fields.iter();
        fields.filter(|field| field.options == 0).cloned().collect()
    }

    /// Returns the fields of `New` that the request that inserts a row does not have.
    pub fn rest_fields(&self) -> Vec<Field> {
        let mut required = self.required_fields();
        required.retain(|field| !self.new_body.contains(&field.sql_name));
        required
    }

    /// Returns the name of the struct that a client sends for a new row.
    pub fn new_body_type(&self) -> String {
        format!("New{}Body", self.row)
    }

    /// Returns the name of the struct with the columns that a new row needs beside those.
    pub fn rest_type(&self) -> String {
        format!("New{}Rest", self.row)
    }

    /// Returns the name of the struct that a client sends to change a row.
    pub fn changes_body_type(&self) -> String {
        format!("{}ChangesBody", self.row)
    }

    /// Returns the name of the struct for the rows of lists.
    pub fn listed_type(&self) -> String {
        if self.list_fields.is_empty() {
            self.row.clone()
        } else {
            format!("Listed{}", self.row)
        }
    }

    /// Returns the name of the struct for the changes of a row.
    pub fn changes_type(&self) -> String {
        format!("{}Changes", self.row)
    }

    /// Returns the name of the constraint enum.
    pub fn constraint_type(&self) -> String {
        format!("{}Constraint", self.row)
    }
}
