//! The file of one table, top to bottom.

use bowline_catalog::definition::quoted;
use bowline_plan::plan::{Field, Function, TablePlan, article};

use super::HEADER;
use super::layout::{self, derive, doc, literal, use_list};

mod bodies;
mod functions;
mod given;
mod relations;
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
        values::row(table, &table.row, "", &table.fields),
        keys(table),
        listed(table),
        given::new(table),
        values::new(table),
        given::changes(table),
        values::changes(table),
        bodies::new(table),
        bodies::changes(table),
        row_key(table),
        functions::positions(table),
        relations::relations(table),
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
    if has(|function| {
        matches!(
            function,
            Function::List
                | Function::ListBy { .. }
                | Function::ListOrdered(_)
                | Function::ListDeleted
        )
    }) {
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
    let ids = table.foreign_ids.clone();
    if ids.len() == 1 && table.schema_module.is_none() {
        inside.push(use_list("use super::", ids.clone()));
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
    if let Some(module) = table.schema_module.as_ref().filter(|_| !ids.is_empty()) {
        modules.push(use_list(&format!("use super::{module}::"), ids.clone()));
    }
    modules.sort();
    inside.extend(modules);
    if ids.len() > 1 && table.schema_module.is_none() {
        inside.push(use_list("use super::", ids));
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
    // A text cannot be copied.
    let copied = (id.inner != "String").then_some("Copy");
    let of_macro: Vec<&str> = layout::OF_MACROS.into_iter().chain(copied).collect();
    let extra = layout::beside_derives(&of_macro, &id.extra_derives);
    let derives = if extra.is_empty() {
        String::new()
    } else {
        derive(4, &extra)
    };
    format!(
        "bowline::__generated::id! {{\n    /// Identifies {} [`{}`].\n{derives}    pub struct {}({}): diesel::sql_types::{};\n}}\n",
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
    let comment = comment + &without_list(table);
    let key: Vec<_> = table
        .key
        .iter()
        .filter_map(|column| table.fields.iter().find(|field| field.sql_name == *column))
        .collect();
    let mut attributes = format!("table_name = {}", table.module);
    // `Identifiable` needs keys that implement `Hash` and `Eq`.
    let is_unfit = |field: &&Field| !field.rust_type.is_hashed;
    let is_identified =
        !key.is_empty() && key.len() == table.key.len() && !key.iter().any(is_unfit);
    if is_identified && key.iter().map(|field| field.name.as_str()).ne(["id"]) {
        let key: Vec<_> = key.iter().map(|field| field.name.clone()).collect();
        attributes.push_str(&format!(", primary_key({})", key.join(", ")));
    }
    let identifiable = is_identified.then_some("Identifiable");
    read_struct(
        table,
        &table.row,
        &table.fields,
        &comment,
        identifiable,
        &attributes,
    )
}

/// Returns the paragraph about the indexes that serve no list.
fn without_list(table: &TablePlan) -> String {
    let indexes = table.without_list.iter();
    let indexes: Vec<String> = indexes
        .map(|(name, reason)| format!("`{name}` ({reason})"))
        .collect();
    let begin = match indexes.len() {
        0 => return String::new(),
        1 => "This index serves no list",
        _ => "These indexes serve no list",
    };
    format!("\n\n{begin}: {}.", indexes.join(", "))
}

/// Returns the macros that convert rows to their keys, after which a page begins.
fn keys(table: &TablePlan) -> String {
    let field = |column: &String| table.fields.iter().find(|field| field.sql_name == *column);
    let key: Vec<&Field> = table.key.iter().filter_map(field).collect();
    // A key of a view can be NULL.
    if key.is_empty() || key.len() < table.key.len() || key.iter().any(|it| it.options > 0) {
        return String::new();
    }
    let names: Vec<&str> = key.iter().map(|field| field.name.as_str()).collect();
    let of = |row: &str| {
        format!(
            "bowline::__generated::key_of! {{\n    {row} => {} {{ {} }}\n}}\n",
            functions::key_type(table),
            names.join(", ")
        )
    };
    let of_whole = of(&table.row);
    if !table.list_fields.is_empty() && key.iter().all(|it| table.list_fields.contains(it)) {
        return format!("{of_whole}\n{}", of(&table.listed_type()));
    }
    of_whole
}

/// Returns the struct for the rows of lists, if they lack columns.
fn listed(table: &TablePlan) -> String {
    if table.list_fields.is_empty() {
        return String::new();
    }
    let is_left_out = |field: &&Field| !table.list_fields.contains(field);
    let left_out = table.fields.iter().filter(is_left_out);
    let names: Vec<String> = left_out
        .map(|field| format!("`{}`", field.sql_name))
        .collect();
    let comment = format!(
        "{} [`{}`] in a list, without {}.",
        capital(article(&table.row)),
        table.row,
        names.join(", ")
    );
    let attributes = format!("table_name = {}", table.module);
    let name = table.listed_type();
    let fields = &table.list_fields;
    let row = read_struct(table, &name, fields, &comment, None, &attributes);
    format!(
        "{row}\n{}",
        values::row(table, &name, &format!(" of {}", table.row), fields)
    )
}

/// Returns a struct that is read from the table.
fn read_struct(
    table: &TablePlan,
    name: &str,
    fields: &[Field],
    comment: &str,
    identifiable: Option<&str>,
    attributes: &str,
) -> String {
    let usual = ["Debug", "Clone", "PartialEq", "Queryable", "Selectable"];
    let usual = usual.into_iter().chain(identifiable).chain(["Serialize"]);
    let usual: Vec<&str> = usual.collect();
    let derives = layout::with_derives(&usual, &table.extra_derives);
    let mut out = format!(
        "{}{}#[diesel({attributes})]\n",
        doc(0, comment),
        derive(0, &derives)
    );
    out.push_str("#[diesel(check_for_backend(diesel::pg::Pg))]\n");
    out.push_str(&serde_of(table, &[]));
    out.push_str(&format!("pub struct {name} {{\n"));
    for field in fields {
        out.push_str(&comment_of(field));
        out.push_str(&rename(table, field));
        out.push_str(&given_attributes(&field.attributes));
        if field.skip_serializing {
            out.push_str("    #[serde(skip_serializing)]\n");
        }
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

/// Returns the attributes of a field that the settings name.
fn given_attributes(of_settings: &[String]) -> String {
    let lines = of_settings.iter();
    lines
        .map(|attribute| format!("    #[{attribute}]\n"))
        .collect()
}

/// Returns serde's attribute of a struct.
fn serde_of(table: &TablePlan, own: &[&str]) -> String {
    let mut parts: Vec<String> = own.iter().map(|&part| part.to_owned()).collect();
    if let Some(rule) = table.rename_all {
        parts.push(format!("rename_all = {}", literal(rule.as_str())));
    }
    if parts.is_empty() {
        return String::new();
    }
    format!("#[serde({})]\n", parts.join(", "))
}

/// Returns the macro that sends many keys at once, if a function does.
fn row_key(table: &TablePlan) -> String {
    let takes_keys = |function: &Function| {
        matches!(
            function,
            Function::FindMany | Function::DeleteMany | Function::UpdateMany
        )
    };
    if table.functions.iter().any(takes_keys) {
        functions::row_key(table)
    } else {
        String::new()
    }
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
        "    pub enum {} on {}.{}{} {{\n",
        table.constraint_type(),
        literal(&table.name.schema),
        literal(&table.name.name),
        if table.is_qualified { " only" } else { "" }
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

fn comment_of(field: &Field) -> String {
    field
        .comment
        .as_deref()
        .map(|comment| doc(4, comment))
        .unwrap_or_default()
}

/// Returns the serde attribute for the name in JSON: that of the settings, or that of the column if
/// the field has another one.
fn rename(table: &TablePlan, field: &Field) -> String {
    let name = match &field.rename {
        Some(name) => name,
        None if field.name == field.sql_name => return String::new(),
        // The rule of the settings is for the names of the fields.
        None if table.rename_all.is_some()
            && field.name.trim_end_matches('_') != field.sql_name =>
        {
            return String::new();
        }
        None => &field.sql_name,
    };
    format!("    #[serde(rename = {})]\n", literal(name))
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
