//! The structs of rows within rows.

use bowline_catalog::DataType;
use bowline_catalog::query::{Column, Row};

use super::super::english::singular;
use super::super::names::{derivable_name, distinct, rust_name};
use super::super::{Field, Plan, TablePlan};
use super::ValuePlan;
use super::types::{ReadColumn, Types, table};

/// The SQL type of a row, as generated code names it.
pub(super) const ROW_OF: &str = "RowOf";

/// A struct for rows within rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NestedRow {
    /// The name of the struct.
    pub name: String,
    /// The column that holds such rows.
    pub column: String,
    /// A field for each column.
    pub fields: Vec<ValuePlan>,
}

/// Finds the structs of rows within the rows of one query.
pub(super) struct Nested<'t, 'p> {
    pub(super) plan: &'p Plan,
    types: &'t mut Types<'p>,
    /// The structs that no table has, the innermost first.
    pub(super) planned: Vec<NestedRow>,
}

impl<'t, 'p> Nested<'t, 'p> {
    pub(super) fn new(plan: &'p Plan, types: &'t mut Types<'p>) -> Self {
        Self {
            plan,
            types,
            planned: Vec::new(),
        }
    }

    /// Returns the way in which a column is read. A struct for its rows is named after `parent` and
    /// the column. Fails with the type that has no counterpart in Rust.
    pub(super) fn column(
        &mut self,
        column: &Column,
        name: &str,
        parent: &str,
    ) -> Result<ReadColumn, String> {
        let Some(row) = &column.row else {
            return self.types.column(column);
        };
        let row_type = self.row_type(row, name, parent, column.data_type.dimensions > 0)?;
        Ok(self.types.of_rows(column, row, &row_type))
    }

    pub(super) fn is_row(&self, data_type: &DataType) -> bool {
        self.types.is_row(data_type)
    }

    fn row_type(
        &mut self,
        row: &Row,
        name: &str,
        parent: &str,
        is_array: bool,
    ) -> Result<String, String> {
        if let Some(table) = whole_table(self.plan, &row.fields) {
            if let Some(field) = table.fields.iter().find(|field| is_cast(field)) {
                return Err(is_text(&field.sql_name));
            }
            return Ok(self.types.row_of(table));
        }
        let one = if is_array {
            singular(name)
        } else {
            name.to_owned()
        };
        let own = format!("{parent}{}", derivable_name(&one));
        let mut fields: Vec<ValuePlan> = Vec::new();
        let names = row.fields.iter().map(|field| rust_name(&field.name, None));
        for (field, rust) in row.fields.iter().zip(distinct(names)) {
            if field.name == "?column?" {
                return Err("rows with a column without a name".to_owned());
            }
            let read = self
                .column(field, &field.name, &own)
                .map_err(|why| format!("rows whose column {} has {why}", field.name))?;
            if read.cast.is_some() {
                return Err(is_text(&field.name));
            }
            fields.push(ValuePlan {
                name: rust,
                sql_name: field.name.clone(),
                rust_type: read.rust_type,
                sql_type: read.sql_type,
                by_json: read.by_json,
                comment: field.comment.clone().or_else(|| comment(self.plan, field)),
            });
        }
        self.planned.push(NestedRow {
            name: own.clone(),
            column: name.to_owned(),
            fields,
        });
        Ok(own)
    }
}

/// Returns true for a column that the SQL casts where it is read, which is not possible within a
/// row.
fn is_cast(field: &Field) -> bool {
    field.via.as_ref().is_some_and(|via| via.read.is_some())
}

fn is_text(column: &str) -> String {
    format!("rows whose column {column} is read as text")
}

/// Returns the table that has exactly these columns, in this order.
pub(super) fn whole_table<'p>(plan: &'p Plan, columns: &[Column]) -> Option<&'p TablePlan> {
    let (relation, _) = columns.first()?.column.as_ref()?;
    let table = table(plan, relation)?;
    let is_field = |(column, field): (&Column, &Field)| {
        column.name == field.sql_name
            && column.column.as_ref() == Some(&(relation.clone(), field.sql_name.clone()))
            && column.nullable <= (field.options > 0)
    };
    let is_whole =
        table.fields.len() == columns.len() && columns.iter().zip(&table.fields).all(is_field);
    is_whole.then_some(table)
}

/// Returns the comment of the column that the values are from.
pub(super) fn comment(plan: &Plan, column: &Column) -> Option<String> {
    let (relation, name) = column.column.as_ref()?;
    let fields = &table(plan, relation)?.fields;
    let field = fields.iter().find(|field| field.sql_name == *name)?;
    field.comment.clone()
}

/// Returns the hint for a column that has no Rust type.
pub(super) fn no_type_hint(column: &Column, name: &str, is_row: bool) -> String {
    if column.row.is_some() {
        "select the columns that have one in a subquery: SELECT s FROM (SELECT id, name FROM ..) s"
            .to_owned()
    } else if is_row {
        format!(
            "the fields of {name} cannot be named where it is sent: write the row of a table, or of a \
             subquery, such as ARRAY(SELECT t FROM transfers t)"
        )
    } else if column.data_type.name.name == "void" {
        format!(
            "the function returns nothing: cast the call, as pg_notify('a', 'b')::text AS {name}, \
             which is an empty text"
        )
    } else {
        format!("cast it in the SQL to a type that Rust has, such as {name}::text")
    }
}
