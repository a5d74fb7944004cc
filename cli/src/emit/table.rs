//! The file of one table, top to bottom.

use bowline_catalog::definition::quoted;
use bowline_plan::plan::{Field, Function, TablePlan, article};

use super::HEADER;
use super::layout::{self, derive, doc, literal, use_list};

mod functions;
mod sql;
mod template;
mod values;

/// Returns the SQL of all functions.
pub(super) fn constants(table: &TablePlan) -> impl Iterator<Item = sql::Constant<'_>> {
    functions::all(table).flat_map(|function| function.constants)
}

pub(super) fn table(table: &TablePlan) -> String {
    [
        header(table),
        imports(table),
        id(table),
        row(table),
        values::row(table),
        new(table),
        values::new(table),
        changes(table),
        values::changes(table),
        constraints(table),
        functions::functions(table),
    ]
    .into_iter()
    .filter(|block| !block.is_empty())
    .collect::<Vec<_>>()
    .join("\n")
}

fn header(table: &TablePlan) -> String {
    format!(
        "{HEADER}\n// Do not edit: write your own queries in an `impl {}` of your own.\n",
        table.row
    )
}

fn imports(table: &TablePlan) -> String {
    let has = |wanted: fn(&Function) -> bool| table.functions.iter().any(wanted);
    let types = table.fields.iter().map(|field| &field.rust_type);
    let mut outside: Vec<String> = types
        .clone()
        .flat_map(|rust_type| rust_type.imports.clone())
        .collect();
    outside.extend(table.id.iter().filter_map(|id| id.import.clone()));
    let is_borrowed = [&table.new_fields, &table.changes_fields]
        .into_iter()
        .flatten()
        .any(|field| field.rust_type.has_lifetime());
    outside.retain(|import| is_borrowed || !import.starts_with("std::"));
    if has(|function| matches!(function, Function::List | Function::ListBy { .. })) {
        outside.push("bowline::Page".to_owned());
    }
    outside.push("bowline::__generated::StaticSql".to_owned());
    outside.push("diesel::prelude::*".to_owned());
    let reads = !table.new_fields.is_empty() || !table.changes_fields.is_empty();
    outside.push(
        if reads {
            "serde::{Deserialize, Serialize}"
        } else {
            "serde::Serialize"
        }
        .to_owned(),
    );
    // rustfmt puts an underscore before letters.
    outside.sort_by_key(|import| import.replace("::_", "::!"));
    outside.dedup();
    let (std, outside): (Vec<_>, Vec<_>) = outside
        .into_iter()
        .partition(|import| import.starts_with("std::"));
    let mut inside = Vec::new();
    // rustfmt sorts a single name before the modules, and a list of names after them.
    if table.foreign_ids.len() == 1 {
        inside.push(use_list("use super::", table.foreign_ids.clone()));
    }
    let alias = if table.module == table.schema_name {
        String::new()
    } else {
        format!(" as {}", table.module)
    };
    let mut modules = vec![format!(
        "use {}::{}{alias};\n",
        table.schema_path, table.schema_name
    )];
    let mut enums: Vec<String> = types
        .flat_map(|rust_type| rust_type.of_types.clone())
        .collect();
    enums.sort();
    enums.dedup();
    if !enums.is_empty() {
        modules.push(use_list("use super::types::", enums));
    }
    modules.sort();
    inside.extend(modules);
    if table.foreign_ids.len() > 1 {
        inside.push(use_list("use super::", table.foreign_ids.clone()));
    }
    let lines = |imports: Vec<String>| {
        imports
            .iter()
            .map(|import| format!("use {import};\n"))
            .collect::<String>()
    };
    [lines(std), lines(outside), inside.concat()]
        .into_iter()
        .filter(|group| !group.is_empty())
        .collect::<Vec<_>>()
        .join("\n")
}

fn id(table: &TablePlan) -> String {
    let Some(id) = &table.id else {
        return String::new();
    };
    format!(
        "bowline::__generated::id! {{\n    /// Identifies {} [`{}`].\n    pub struct {}({}): diesel::sql_types::{};\n}}\n",
        article(&table.row),
        table.row,
        id.name,
        id.inner,
        id.sql_type
    )
}

fn row(table: &TablePlan) -> String {
    let comment = table
        .comment
        .clone()
        .unwrap_or_else(|| format!("A row of `{}`.", table.sql_name));
    let mut derives: Vec<String> = [
        "Debug",
        "Clone",
        "PartialEq",
        "Queryable",
        "Selectable",
        "Identifiable",
        "Serialize",
    ]
    .map(str::to_owned)
    .into();
    derives.extend(table.extra_derives.iter().cloned());
    let key: Vec<_> = table
        .key
        .iter()
        .filter_map(|column| table.fields.iter().find(|field| field.sql_name == *column))
        .collect();
    let mut attributes = format!("table_name = {}", table.module);
    // `Identifiable` needs keys that implement `Hash` and `Eq`.
    let is_unfit = |field: &&Field| !field.rust_type.is_hashed;
    if key.is_empty() || key.len() != table.key.len() || key.iter().any(is_unfit) {
        derives.retain(|derive| derive != "Identifiable");
    } else if key.iter().map(|field| field.name.as_str()).ne(["id"]) {
        let key: Vec<_> = key.iter().map(|field| field.name.clone()).collect();
        attributes.push_str(&format!(", primary_key({})", key.join(", ")));
    }
    let mut out = format!(
        "{}{}#[diesel({attributes})]\n",
        doc(0, &comment),
        derive(0, &derives)
    );
    out.push_str("#[diesel(check_for_backend(diesel::pg::Pg))]\n");
    out.push_str(&format!("pub struct {} {{\n", table.row));
    for field in &table.fields {
        out.push_str(&comment_of(field));
        out.push_str(&rename(field));
        out.push_str(&selected(table, field));
        if field.rust_type.by_json {
            out.push_str(layout::JSON_OUT);
        }
        out.push_str(&layout::field(
            &field.name,
            &wrapped(&field.rust_type.owned, field.options),
        ));
    }
    out + "}\n"
}

fn new(table: &TablePlan) -> String {
    if table.new_fields.is_empty() {
        return String::new();
    }
    let has_default = table.new_fields.iter().any(|field| field.options > 0);
    let default = if has_default {
        " `None` takes the column's default."
    } else {
        ""
    };
    let mut out = format!(
        "/// {} [`{}`] to insert.{default}\n",
        capital(article(&table.row)),
        table.row
    );
    if table.insertable && are_shown(&table.new_fields) {
        out.push_str("#[derive(Debug, Clone, PartialEq, Insertable, Deserialize)]\n");
        out.push_str(&format!("#[diesel(table_name = {})]\n", table.module));
    } else {
        out.push_str("#[derive(Debug, Clone, PartialEq, Deserialize)]\n");
    }
    out.push_str(&format!(
        "pub struct {}{} {{\n",
        table.new_type(),
        lifetime(&table.new_fields)
    ));
    for field in &table.new_fields {
        out.push_str(&rename(field));
        out.push_str(&read_from_json(field, "default, "));
        out.push_str(&layout::field(
            &field.name,
            &wrapped(&field.rust_type.borrowed, field.options),
        ));
    }
    out + "}\n"
}

fn changes(table: &TablePlan) -> String {
    if table.changes_fields.is_empty() {
        return String::new();
    }
    let has_nullable = table.changes_fields.iter().any(|field| field.options > 1);
    let nullable = if has_nullable {
        "; `Some(None)` sets it to NULL"
    } else {
        ""
    };
    let mut out = format!(
        "/// Changes to {} [`{}`]. `None` leaves the column as it is{nullable}.\n",
        article(&table.row),
        table.row
    );
    if table.insertable && are_shown(&table.changes_fields) {
        out.push_str("#[derive(Debug, Clone, Default, PartialEq, AsChangeset, Deserialize)]\n");
        out.push_str(&format!("#[diesel(table_name = {})]\n", table.module));
    } else {
        out.push_str("#[derive(Debug, Clone, Default, PartialEq, Deserialize)]\n");
    }
    out.push_str("#[serde(default)]\n");
    out.push_str(&format!(
        "pub struct {}{} {{\n",
        table.changes_type(),
        lifetime(&table.changes_fields)
    ));
    for field in &table.changes_fields {
        out.push_str(&rename(field));
        out.push_str(&read_from_json(field, ""));
        out.push_str(&layout::field(
            &field.name,
            &wrapped(&field.rust_type.borrowed, field.options),
        ));
    }
    out + "}\n"
}

fn constraints(table: &TablePlan) -> String {
    if table.constraints.is_empty() {
        return String::new();
    }
    let mut out = format!(
        "bowline::__generated::constraints! {{\n    /// What can be violated in `{}`.\n",
        // A line break would end the comment.
        table.sql_name.replace(['\n', '\r'], " ")
    );
    out.push_str(&format!(
        "    pub enum {} on {}.{} {{\n",
        table.constraint_type(),
        literal(&table.name.schema),
        literal(&table.name.name)
    ));
    for constraint in &table.constraints {
        out.push_str(&doc(8, &format!("`{}`", constraint.definition)));
        out.push_str(&format!(
            "        {} = {},\n",
            constraint.variant,
            literal(&constraint.sql_name)
        ));
    }
    out + "    }\n}\n"
}

/// Returns true if each field has the type that `schema.rs` shows, as diesel's derives need it.
fn are_shown(fields: &[Field]) -> bool {
    fields.iter().all(|field| field.via.is_none())
}

/// Returns the attribute by which diesel selects a column that is not read as the type that
/// `schema.rs` shows.
fn selected(table: &TablePlan, field: &Field) -> String {
    let Some(via) = &field.via else {
        return String::new();
    };
    let sql_type = via.sql_type.in_table();
    let column = format!(
        "{}.{}{}",
        sql::name(table),
        quoted(&field.sql_name),
        via.read_suffix()
    );
    format!(
        "    #[diesel(select_expression = diesel::dsl::sql::<{sql_type}>({}))]\n    \
         #[diesel(select_expression_type = diesel::expression::SqlLiteral<{sql_type}>)]\n",
        literal(&column)
    )
}

/// Returns the attribute by which serde reads a field of `New` or `Changes`.
fn read_from_json(field: &Field, default: &str) -> String {
    let function = match (field.rust_type.by_json, field.options) {
        (false, 0 | 1) => return String::new(),
        (false, _) => "nullable",
        (true, 0) => {
            return "    #[serde(deserialize_with = \"bowline::__generated::json::deserialize\")]\n"
                .to_owned();
        }
        (true, 1) => "json::deserialize",
        (true, _) => "json::nullable",
    };
    format!("    #[serde({default}deserialize_with = \"bowline::__generated::{function}\")]\n")
}

fn comment_of(field: &Field) -> String {
    field
        .comment
        .as_deref()
        .map(|comment| doc(4, comment))
        .unwrap_or_default()
}

/// Returns the serde attribute that keeps the column's name in JSON, if the field has another
/// name.
fn rename(field: &Field) -> String {
    if field.name == field.sql_name {
        String::new()
    } else {
        format!("    #[serde(rename = {})]\n", literal(&field.sql_name))
    }
}

fn wrapped(rust_type: &str, options: usize) -> String {
    format!(
        "{}{rust_type}{}",
        "Option<".repeat(options),
        ">".repeat(options)
    )
}

/// Returns `<'a>` if a field borrows, else an empty string.
fn lifetime(fields: &[Field]) -> &'static str {
    if fields.iter().any(|field| field.rust_type.has_lifetime()) {
        "<'a>"
    } else {
        ""
    }
}

fn capital(article: &str) -> &'static str {
    if article == "an" { "An" } else { "A" }
}
