//! The code of an expansion.

use std::path::PathBuf;

use bowline_plan::plan::{InlineArgument, InlineColumn, ValuePlan};

use super::check::Checked;

/// The name that stands for the struct of `query_as!`. It is replaced by the tokens of the call.
pub(crate) const TARGET: &str = "__bowline_target";

/// Returns a block whose value is a function from the arguments to the query.
///
/// It hides no names of the caller: its declarations are private to the block, the arguments are
/// evaluated outside of it, and it imports nothing.
pub(crate) fn function(checked: &Checked, reads_struct: bool, tracked: &[PathBuf]) -> String {
    let query = &checked.query;
    let mut out = "{ ".to_owned();
    for file in tracked {
        out.push_str(&format!(
            "const _: &[u8] = ::core::include_bytes!({:?}); ",
            file.display().to_string()
        ));
    }
    let access = if query.writes { "Write" } else { "Read" };
    let access = format!("::bowline::statement::{access}");
    let (output, new) = match (checked.returns_rows, reads_struct) {
        (false, _) => (
            format!("::bowline::statement::CheckedStatement<{access}>"),
            "::bowline::statement::CheckedStatement::new",
        ),
        (true, is_struct) => {
            for nested in &query.nested {
                let fields = nested.fields.iter();
                let fields: Vec<InlineColumn> = fields.map(column).collect();
                out.push_str(&row(&nested.name, &fields, "query_row"));
            }
            out.push_str(&if is_struct {
                read_as(&query.columns)
            } else {
                row("Row", &query.columns, "inline_row")
            });
            let row = if is_struct {
                "::bowline::__generated::As<__BowlineRow>"
            } else {
                "Row"
            };
            (
                format!("::bowline::statement::CheckedQuery<{row}, {access}>"),
                "::bowline::statement::CheckedQuery::new",
            )
        }
    };
    let parameters = query.arguments.iter().enumerate();
    let parameters: String = parameters
        .map(|(index, argument)| format!("p{}: {}, ", index + 1, argument.rust_type))
        .collect();
    let binds = query.arguments.iter().enumerate();
    let binds: String = binds
        .map(|(index, argument)| bind(index + 1, argument))
        .collect();
    let allowed = match query.arguments.len() {
        0..=7 => "",
        _ => "#[allow(clippy::too_many_arguments)] ",
    };
    out.push_str(&format!(
        "{allowed}fn query({parameters}) -> {output} {{ \
         static SQL: ::bowline::__generated::StaticSql = ::bowline::__generated::StaticSql {{ \
         function: ::core::concat!(::core::file!(), \":\", ::core::line!()), \
         sql: {:?}, calls: {:?}, database: {:?}, ..::bowline::__generated::StaticSql::EMPTY }}; \
         {new}(::bowline::statement::Query::new(&SQL){binds}) }} query }}",
        query.sql,
        query.calls,
        query.database.as_deref().unwrap_or_default()
    ));
    out
}

fn bind(number: usize, argument: &InlineArgument) -> String {
    let reference = if argument.rust_type.starts_with('&') {
        ""
    } else {
        "&"
    };
    let sql_type = &argument.sql_type;
    match argument.oids {
        Some(oids) => {
            format!(".bind_with_oids::<{sql_type}, _>({oids:?}, {reference}p{number})")
        }
        None => format!(".bind_as::<{sql_type}, _>({reference}p{number})"),
    }
}

/// Returns a field of a row within a row.
fn column(field: &ValuePlan) -> InlineColumn {
    InlineColumn {
        name: field.name.clone(),
        sql_name: field.sql_name.clone(),
        rust_type: field.rust_type.clone(),
        sql_type: field.sql_type.clone(),
        comment: field.comment.clone(),
    }
}

/// Returns the struct of a row, and the code that reads it. Each line of it is compiled again for
/// each call after every change of the crate, so there is no code without need: only a row within
/// another one is read as a value, and has the derives that the outer one needs.
fn row(name: &str, columns: &[InlineColumn], reader: &str) -> String {
    let mut fields = String::new();
    let mut read = String::new();
    for column in columns {
        if let Some(comment) = &column.comment {
            fields.push_str(&format!("#[doc = {comment:?}] "));
        }
        fields.push_str(&format!("pub {}: {}, ", column.name, column.rust_type));
        read.push_str(&format!(
            "{}: {} = {:?}, ",
            column.name, column.sql_type, column.sql_name
        ));
    }
    format!(
        "#[allow(dead_code, non_snake_case, unreachable_pub)] \
         #[derive(Debug, Clone)] struct {name} {{ {fields} }} \
         ::bowline::__generated::{reader}! {{ {name} {{ {read} }} }} "
    )
}

/// Returns the code that reads the caller's struct.
fn read_as(columns: &[InlineColumn]) -> String {
    let describe: String = columns
        .iter()
        .map(|column| format!("columns.positional::<{}>(); ", column.sql_type))
        .collect();
    let read: String = columns
        .iter()
        .map(|column| {
            format!(
                "{}: fields.read_named::<{}, {}>({:?})?, ",
                column.name, column.sql_type, column.rust_type, column.sql_name
            )
        })
        .collect();
    format!(
        "struct __BowlineRow; impl ::bowline::__generated::StructRow for __BowlineRow {{ \
         type Row = {TARGET}; \
         fn describe(columns: &mut ::bowline::__generated::RowColumns) {{ {describe} }} \
         fn read(fields: &mut ::bowline::__generated::Fields<'_>) \
         -> ::bowline::__generated::RowResult<Self::Row> {{ \
         ::core::result::Result::Ok({TARGET} {{ {read} }}) }} }} "
    )
}
