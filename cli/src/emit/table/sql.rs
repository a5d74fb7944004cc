//! The SQL of a table's functions, and the constants that contain it.

use bowline_catalog::definition::quoted;

use super::super::layout::{literal, string_field};
use super::template::{Template, list};
use bowline_plan::plan::{Field, KeyColumn, TablePlan, Wire};

/// Returns the table's name in SQL, with its schema unless that is `public`, which only a setting
/// names.
pub(super) fn name(table: &TablePlan) -> String {
    let name = quoted(&table.name.name);
    if table.name.schema == "public" && !table.is_qualified {
        name
    } else {
        format!("{}.{name}", quoted(&table.name.schema))
    }
}

/// Returns the name of the table within an upsert. There `excluded` is the row that was not
/// inserted, so a table of that name has another one.
pub(super) fn alias(table: &TablePlan) -> String {
    let name = table.name.name.as_str();
    if name == "excluded" {
        "stored".to_owned()
    } else {
        quoted(name)
    }
}

/// Returns the table's name as the target of an upsert.
pub(super) fn upserted(table: &TablePlan) -> String {
    let (name, alias) = (name(table), alias(table));
    if alias == quoted(&table.name.name) {
        name
    } else {
        format!("{name} AS {alias}")
    }
}

/// Returns the columns of a row, as a list.
pub(super) fn columns(table: &TablePlan) -> String {
    columns_of(&table.fields)
}

fn columns_of(fields: &[Field]) -> String {
    list(fields.iter().map(|field| {
        let cast = field.via.as_ref().map(Wire::read_suffix);
        format!("{}{}", quoted(&field.sql_name), cast.unwrap_or_default())
    }))
}

/// Returns the columns of a row with the name of the table: `accounts.id, accounts.username`.
pub(super) fn qualified_columns(table: &TablePlan, fields: &[Field]) -> String {
    list(fields.iter().map(|field| {
        let cast = field.via.as_ref().map(Wire::read_suffix);
        let column = format!("{}.{}", name(table), quoted(&field.sql_name));
        format!("{column}{}", cast.unwrap_or_default())
    }))
}

/// Returns a parameter with its casts: `$1::text::tsvector`.
pub(super) fn parameter(number: usize, cast: Option<&String>) -> String {
    match cast {
        Some(cast) => format!("${number}::{cast}"),
        None => format!("${number}"),
    }
}

/// Returns `SELECT <columns> FROM <table>`.
pub(super) fn select(table: &TablePlan) -> String {
    format!("SELECT {} FROM {}", columns(table), name(table))
}

/// Returns `SELECT <columns> FROM <table>` with the columns of lists.
pub(super) fn select_listed(table: &TablePlan) -> String {
    let fields = match table.list_fields.as_slice() {
        [] => &table.fields,
        listed => listed,
    };
    format!("SELECT {} FROM {}", columns_of(fields), name(table))
}

/// Returns the condition that a row is not marked as deleted.
pub(super) fn is_kept(table: &TablePlan) -> Option<String> {
    let deleted_at = table.roles.deleted_at.as_ref()?;
    Some(format!("{} IS NULL", quoted(deleted_at)))
}

/// Returns a condition for rows that are not marked as deleted.
pub(super) fn kept(table: &TablePlan, condition: &str) -> String {
    match is_kept(table) {
        Some(is_kept) => format!("{condition} AND {is_kept}"),
        None => condition.to_owned(),
    }
}

/// Returns ` RETURNING <columns>`.
pub(super) fn returning(table: &TablePlan) -> String {
    format!(" RETURNING {}", columns(table))
}

/// Returns the condition that the columns are equal to the first parameters: `a = $1 AND b = $2`.
pub(super) fn condition(columns: &[KeyColumn]) -> String {
    let equal = columns.iter().enumerate().map(|(number, column)| {
        let parameter = parameter(number + 1, column.cast.as_ref());
        format!("{} = {parameter}", quoted(&column.sql_name))
    });
    equal.collect::<Vec<_>>().join(" AND ")
}

/// A constant with the SQL of a function.
pub(in super::super) struct Constant<'a> {
    pub(super) name: &'a str,
    pub(super) table: &'a TablePlan,
    pub(in super::super) function: &'a str,
    pub(in super::super) sql: Template,
    /// The SQL that runs where no column is changed.
    pub(in super::super) unchanged: Option<Template>,
    /// The columns that an upsert of many rows does not change.
    pub(super) kept: Vec<String>,
    /// The columns whose values together can be given once in a call.
    pub(super) once: Vec<String>,
    /// The known facts about it: `only_reads`, ..
    pub(super) facts: &'a [&'a str],
    /// The functions that its views and policies call, separated by spaces.
    pub(super) calls: &'a str,
}

impl Constant<'_> {
    /// Returns the declaration.
    pub(super) fn declare(&self) -> String {
        let mut out = format!(
            "        static {}: StaticSql = StaticSql {{\n            function: {},\n",
            self.name,
            literal(&format!("{}::{}", self.table.full_row(), self.function))
        );
        let is_constant = self.sql.is_constant() && self.unchanged.is_none();
        out.push_str(&string_field(12, "sql", &self.sql.text(is_constant)));
        if let Some(unchanged) = &self.unchanged {
            out.push_str(&string_field(12, "unchanged", &unchanged.text(is_constant)));
        }
        for (field, names) in [("kept", &self.kept), ("once", &self.once)] {
            if !names.is_empty() {
                let names: Vec<String> = names.iter().map(|name| literal(name)).collect();
                out.push_str(&format!("            {field}: &[{}],\n", names.join(", ")));
            }
        }
        for fact in self.facts {
            out.push_str(&format!("            {fact}: true,\n"));
        }
        if !self.table.overridden.is_empty() && self.sql.inserts() {
            out.push_str("            overrides: true,\n");
        }
        if !self.calls.is_empty() {
            out.push_str(&string_field(12, "calls", self.calls));
        }
        if let Some(database) = &self.table.database {
            out.push_str(&format!("            database: {},\n", literal(database)));
        }
        out + "            ..StaticSql::EMPTY\n        };\n"
    }
}
