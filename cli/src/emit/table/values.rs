//! The macros that bind values to columns, and read rows from them.

use bowline_plan::plan::{Field, Function, TablePlan};

use super::super::layout::{WIDTH, literal};
use super::lifetime;

pub(super) fn row(table: &TablePlan, name: &str, of_whole: &str, fields: &[Field]) -> String {
    let columns = fields.iter().map(|field| match &field.via {
        Some(via) => {
            let cast = via.read_suffix();
            let cast = match &*cast {
                "" => String::new(),
                cast => format!(" => {}", literal(cast)),
            };
            format!("{} as {}{cast}", field.name, via.sql_type.in_table())
        }
        None => field.name.clone(),
    });
    call("table_row", name, of_whole, table, columns)
}

/// Returns the macro that makes the values of a row from the columns that each row needs.
pub(super) fn from_required(table: &TablePlan) -> String {
    if !table.has_values_type() {
        return String::new();
    }
    let required = table.required_fields();
    let fields = table.new_fields.iter().map(|field| {
        let optional = if field.options > 0 { " = None" } else { "" };
        format!("{}{optional}", field.name)
    });
    format!(
        "bowline::__generated::values_from! {{\n    {}{} from {}{} {{\n{}    }}\n}}\n",
        table.values_type(),
        lifetime(&table.new_fields),
        table.new_type(),
        lifetime(&required),
        lines(fields)
    )
}

pub(super) fn new(table: &TablePlan) -> String {
    if table.new_fields.is_empty() {
        return String::new();
    }
    let fields = &table.new_fields;
    let mut macros = vec!["column_values"];
    if !has_new_arrays(table) && table.functions.contains(&Function::InsertMany) {
        macros.push("column_arrays");
    }
    // Without a value for an optional column, the column is left out of the INSERT.
    let calls: Vec<_> = macros
        .into_iter()
        .map(|name| values(name, &table.inserted_type(), fields, table))
        .collect();
    calls.join("\n")
}

pub(super) fn changes(table: &TablePlan) -> String {
    if table.changes_fields.is_empty() {
        return String::new();
    }
    let fields = &table.changes_fields;
    let mut macros = vec!["column_values"];
    if !has_changes_arrays(table) && table.functions.contains(&Function::UpdateMany) {
        macros.push("column_arrays");
    }
    let calls: Vec<_> = macros
        .into_iter()
        .map(|name| values(name, &table.changes_type(), fields, table))
        .collect();
    calls.join("\n")
}

/// Returns true if a column to change is an array, or a value of a composite type.
pub(super) fn has_changes_arrays(table: &TablePlan) -> bool {
    has_arrays(&table.changes_fields)
}

fn values(name: &str, rust_type: &str, fields: &[Field], table: &TablePlan) -> String {
    let lifetime = lifetime(fields).replace("'a", "'_");
    let columns = fields.iter().map(|field| {
        let optional = if field.options > 0 { " = optional" } else { "" };
        // One `Option` is removed before the value is sent.
        let bare = field.bare.as_ref().filter(|_| field.options == 1);
        let sql_type = bare.or(field.via.as_ref().map(|via| &via.sql_type));
        let cast = field.via.as_ref().and_then(|via| via.write.as_ref());
        let cast = cast.map_or(String::new(), |cast| format!(" => {}", literal(cast)));
        let via = sql_type.map_or(String::new(), |sql_type| {
            format!(" as {}{cast}", sql_type.in_table())
        });
        format!("{}{via}{optional}", field.name)
    });
    call(name, rust_type, &lifetime, table, columns)
}

fn call(
    name: &str,
    rust_type: &str,
    lifetime: &str,
    table: &TablePlan,
    columns: impl Iterator<Item = String>,
) -> String {
    format!(
        "bowline::__generated::{name}! {{\n    {rust_type}{lifetime}: {} {{\n{}    }}\n}}\n",
        table.module,
        lines(columns)
    )
}

/// Returns the items, as many on a line as fit.
pub(super) fn lines(items: impl Iterator<Item = String>) -> String {
    let mut lines = vec![String::new()];
    for item in items {
        let item = format!("{item},");
        match lines.last_mut() {
            Some(line) if line.is_empty() => *line = item,
            Some(line) if 8 + line.len() + 1 + item.len() <= WIDTH => {
                line.push(' ');
                line.push_str(&item);
            }
            _ => lines.push(item),
        }
    }
    let lines = lines.iter();
    lines.map(|line| format!("        {line}\n")).collect()
}

/// Returns true if a column to insert is an array, or a value of a composite type, whose arrays
/// `unnest` splits into its attributes.
pub(super) fn has_new_arrays(table: &TablePlan) -> bool {
    has_arrays(&table.new_fields)
}

fn has_arrays(fields: &[Field]) -> bool {
    let mut fields = fields.iter();
    fields.any(|field| field.rust_type.is_array() || field.is_composite)
}
