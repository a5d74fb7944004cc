//! The file of a query file: its row structs, and a function for each query.

use std::collections::BTreeSet;

use bowline_plan::plan::{ArgumentPlan, QueryFilePlan, QueryFunction, RowPlan};

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
    if uses_sql_types(file) {
        outside.insert("use diesel::sql_types;\n".to_owned());
    }
    if !file.rows.is_empty() {
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
    let mut all = fields
        .map(|field| &field.sql_type)
        .chain(arguments.map(|argument| &argument.sql_type));
    all.any(|sql_type| sql_type.starts_with("sql_types::"))
}

fn row(row: &RowPlan) -> String {
    let of: Vec<String> = row.of.iter().map(|name| format!("[`{name}`]")).collect();
    let docs = match &row.column {
        Some(column) => format!("A row in `{column}` of {}.", of.join(" and ")),
        None => format!("A row of {}.", of.join(" and ")),
    };
    let mut derives: Vec<String> = ["Debug", "Clone", "PartialEq", "Serialize"]
        .map(str::to_owned)
        .into();
    derives.extend(row.extra_derives.iter().cloned());
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

fn function(file: &QueryFilePlan, function: &QueryFunction) -> String {
    let arguments: Vec<String> = function
        .arguments
        .iter()
        .map(|argument| format!("{}: {}", argument.name, argument.rust_type))
        .collect();
    let query = if function.writes {
        "WriteQuery"
    } else {
        "Query"
    };
    let output = format!("bowline::{query}<{}>", function.output);
    let mut links = vec!["bowline::Query::new(&SQL)".to_owned()];
    links.extend(function.arguments.iter().map(bind));
    let calls = match &*function.calls {
        "" => String::new(),
        calls => string_field(8, "calls", calls),
    };
    format!(
        "{}{}    static SQL: StaticSql = StaticSql {{\n        function: {},\n{}{calls}        ..StaticSql::EMPTY\n    }};\n{}}}\n",
        doc(0, &function.docs),
        signature(0, &function.name, &arguments, &output),
        literal(&function_name(file, function)),
        string_field(8, "sql", &function.sql),
        chain(4, "", &links, "")
    )
}

fn bind(argument: &ArgumentPlan) -> String {
    let ArgumentPlan {
        name,
        rust_type,
        sql_type,
        oids,
        cast: _,
    } = argument;
    let reference = if rust_type.starts_with('&') { "" } else { "&" };
    match oids {
        Some(oids) => format!(".bind_with_oids::<{sql_type}, _>({oids:?}, {reference}{name})"),
        None => format!(".bind_as::<{sql_type}, _>({reference}{name})"),
    }
}

#[cfg(test)]
mod tests;
