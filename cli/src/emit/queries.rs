//! The file of a query file: its row structs, and a function for each query.

use std::collections::BTreeSet;

use bowline_plan::plan::{ArgumentPlan, OrdersPlan, QueryFilePlan, QueryFunction, RowPlan};

mod pages;

use super::HEADER;
use super::layout::{self, chain, derive, doc, literal, signature, string_field, use_list};

/// Returns `mod.rs`, which declares the modules.
pub(super) fn module(files: &[QueryFilePlan]) -> String {
    let mut modules: Vec<String> = files
        .iter()
        .map(|file| format!("pub mod {};\n", file.module))
        .collect();
    modules.sort();
    format!("{HEADER} Do not edit.\n\n{}", modules.concat())
}

/// Returns the text of a file.
pub(super) fn file(file: &QueryFilePlan) -> String {
    let head = format!(
        "{HEADER}\n// Do not edit: the queries are in {}.\n",
        file.source.replace(['\n', '\r'], " ")
    );
    let mut blocks = vec![head, imports(file)];
    for function in &file.functions {
        let rows = file.rows.iter();
        blocks.extend(
            rows.filter(|row| row.of.first() == Some(&function.name))
                .map(row),
        );
        blocks.extend(function.orders.as_ref().map(|it| orders(function, it)));
        blocks.extend(function.pages.as_ref().map(|it| pages::types(function, it)));
        blocks.push(self::function(file, function));
    }
    blocks.join("\n")
}

/// Returns the name of a function in errors and metrics: `transfers::received_since`.
pub(super) fn function_name(file: &QueryFilePlan, function: &QueryFunction) -> String {
    format!("{}::{}", file.module, function.name)
}

fn imports(file: &QueryFilePlan) -> String {
    let mut outside: BTreeSet<String> = file
        .uses
        .imports
        .iter()
        .map(|import| format!("use {import};\n"))
        .collect();
    let fields = file.rows.iter().flat_map(|row| &row.fields);
    let mut nested = fields.filter(|field| field.sql_type.contains("RowOf<"));
    let own = match nested.next() {
        Some(_) => "{RowOf, StaticSql}",
        None => "StaticSql",
    };
    outside.insert(format!("use bowline::__generated::{own};\n"));
    if file
        .functions
        .iter()
        .any(|function| function.pages.is_some())
    {
        outside.insert("use bowline::Page;\n".to_owned());
    }
    if uses_sql_types(file) {
        outside.insert("use diesel::sql_types;\n".to_owned());
    }
    let has_orders = file
        .functions
        .iter()
        .any(|function| function.orders.is_some());
    if has_orders {
        outside.insert("use serde::{Deserialize, Serialize};\n".to_owned());
    } else if !file.rows.is_empty() {
        outside.insert("use serde::Serialize;\n".to_owned());
    }
    // rustfmt puts an underscore before letters.
    let mut outside: Vec<String> = outside.into_iter().collect();
    outside.sort_by_key(|import| import.replace("::_", "::!"));
    let mut inside: Vec<String> = Vec::new();
    let types = &file.uses.types;
    // rustfmt sorts a single name before the modules, and a list of names after them.
    if types.len() == 1 {
        inside.push(use_list("use super::super::", types.clone()));
    }
    inside.extend(
        file.uses
            .schemas
            .iter()
            .map(|schema| match schema.strip_prefix("super::") {
                Some(schema) => format!("use super::super::{schema};\n"),
                None => format!("use {schema};\n"),
            }),
    );
    if types.len() > 1 {
        inside.push(use_list("use super::super::", types.clone()));
    }
    [outside.concat(), inside.concat()]
        .into_iter()
        .filter(|group| !group.is_empty())
        .collect::<Vec<_>>()
        .join("\n")
}

fn uses_sql_types(file: &QueryFilePlan) -> bool {
    let fields = file.rows.iter().flat_map(|row| &row.fields);
    let arguments = file
        .functions
        .iter()
        .flat_map(|function| &function.arguments);
    let pages = file.functions.iter().flat_map(|function| &function.pages);
    let positions = pages
        .flat_map(|pages| &pages.lists)
        .flat_map(|list| &list.fields);
    let mut all = fields
        .map(|field| &field.sql_type)
        .chain(arguments.map(|argument| &argument.sql_type))
        .chain(positions.map(|field| &field.sql_type));
    all.any(|sql_type| sql_type.starts_with("sql_types::"))
}

fn row(row: &RowPlan) -> String {
    let of: Vec<String> = row.of.iter().map(|name| format!("[`{name}`]")).collect();
    let docs = match &row.column {
        Some(column) => format!("A row in `{column}` of {}.", of.join(" and ")),
        None => format!("A row of {}.", of.join(" and ")),
    };
    let usual = ["Debug", "Clone", "PartialEq", "Serialize"];
    let derives = layout::with_derives(&usual, &row.extra_derives);
    let mut out = format!(
        "{}{}pub struct {} {{\n",
        doc(0, &docs),
        derive(0, &derives),
        row.name
    );
    for field in &row.fields {
        if let Some(comment) = &field.comment {
            out.push_str(&doc(4, comment));
        }
        if field.name != field.sql_name {
            out.push_str(&format!(
                "    #[serde(rename = {})]\n",
                literal(&field.sql_name)
            ));
        }
        if field.by_json {
            out.push_str(layout::JSON_OUT);
        }
        out.push_str(&layout::field(&field.name, &field.rust_type));
    }
    out.push_str("}\n\n");
    let fields = row.fields.iter().map(|field| {
        format!(
            "        {}: {} = {},\n",
            field.name,
            field.sql_type,
            literal(&field.sql_name)
        )
    });
    out.push_str(&format!(
        "bowline::__generated::query_row! {{\n    {} {{\n{}    }}\n}}\n",
        row.name,
        fields.collect::<String>()
    ));
    out
}

/// Returns the enum of the orders of a query.
fn orders(function: &QueryFunction, plan: &OrdersPlan) -> String {
    let derives = [
        "Debug",
        "Clone",
        "Copy",
        "PartialEq",
        "Eq",
        "Hash",
        "Serialize",
        "Deserialize",
    ];
    let mut out = format!(
        "{}{}pub enum {} {{\n",
        doc(0, &format!("The orders of [`{}`].", function.name)),
        derive(0, &derives.map(str::to_owned)),
        plan.name
    );
    for order in &plan.orders {
        out.push_str(&doc(4, &format!("`{}`", order.order_by)));
        let name = literal(&order.name);
        out.push_str(&format!("    #[serde(rename = {name})]\n"));
        out.push_str(&format!("    {},\n", order.variant));
    }
    out.push_str("}\n");
    out
}

fn function(file: &QueryFilePlan, function: &QueryFunction) -> String {
    let arguments = function.arguments.iter();
    let mut arguments: Vec<String> = arguments
        .map(|argument| format!("{}: {}", argument.name, argument.rust_type))
        .collect();
    let query = if function.writes {
        "WriteQuery"
    } else {
        "Query"
    };
    let output = format!("bowline::{query}<{}>", function.output);
    let constant = |name: &str, sql: &str| constant(4, file, function, name, sql);
    if let Some(plan) = &function.pages {
        let body = pages::body(file, function, plan);
        arguments.push(format!("page: {}", pages::argument(plan)));
        return format!(
            "{}{}{body}}}\n",
            doc(0, &pages::docs(function, plan)),
            signature(0, &function.name, &arguments, &output),
        );
    }
    let mut sql = "&SQL";
    let constants = match &function.orders {
        None => constant("SQL", &function.sql),
        Some(plan) => {
            sql = "sql";
            arguments.push(format!("{}: {}", plan.argument, plan.name));
            let constants = plan.orders.iter();
            let constants = constants.map(|order| constant(&order.constant, &order.sql));
            let arms = plan.orders.iter().map(|order| {
                format!(
                    "        {}::{} => &{},\n",
                    plan.name, order.variant, order.constant
                )
            });
            format!(
                "{}    let sql = match {} {{\n{}    }};\n",
                constants.collect::<String>(),
                plan.argument,
                arms.collect::<String>()
            )
        }
    };
    let mut links = vec![format!("bowline::Query::new({sql})")];
    links.extend(function.arguments.iter().map(bind));
    format!(
        "{}{}{constants}{}}}\n",
        doc(0, &function.docs),
        signature(0, &function.name, &arguments, &output),
        chain(4, "", &links, "")
    )
}

/// Returns the constant with an SQL of a function.
fn constant(
    indent: usize,
    file: &QueryFilePlan,
    function: &QueryFunction,
    name: &str,
    sql: &str,
) -> String {
    let pad = " ".repeat(indent);
    let mut fields = string_field(indent + 4, "sql", sql);
    if !function.calls.is_empty() {
        fields.push_str(&string_field(indent + 4, "calls", &function.calls));
    }
    if function.is_template {
        fields.push_str(&format!("{pad}    has_conditions: true,\n"));
    }
    if let Some(database) = &file.database {
        fields.push_str(&format!("{pad}    database: {},\n", literal(database)));
    }
    let of = literal(&function_name(file, function));
    format!(
        "{pad}static {name}: StaticSql = StaticSql {{\n{pad}    function: {of},\n{fields}{pad}    \
         ..StaticSql::EMPTY\n{pad}}};\n"
    )
}

fn bind(argument: &ArgumentPlan) -> String {
    let ArgumentPlan {
        name,
        rust_type,
        sql_type,
        oids,
        cast: _,
        condition,
    } = argument;
    if let Some(condition) = condition {
        let value = if rust_type.starts_with("Option<&") {
            name.clone()
        } else {
            format!("{name}.as_ref()")
        };
        return match oids {
            Some(oids) => format!(
                ".bind_condition_with_oids::<{sql_type}, _>({condition}, {oids:?}, {value})"
            ),
            None => format!(".bind_condition::<{sql_type}, _>({condition}, {value})"),
        };
    }
    let reference = if rust_type.starts_with('&') { "" } else { "&" };
    match oids {
        Some(oids) => format!(".bind_with_oids::<{sql_type}, _>({oids:?}, {reference}{name})"),
        None => format!(".bind_as::<{sql_type}, _>({reference}{name})"),
    }
}

#[cfg(test)]
mod tests;
