//! The functions and row structs of the query files.

mod absolute;
mod casts;
mod inline;
mod nested;
mod orders;
mod pages;
mod rows;
mod types;

use bowline_catalog::Catalog;
use bowline_catalog::query::Query;
use bowline_catalog::query_file::{Annotation, Checked, Mistake, NamedQuery};

use super::Plan;
use super::calls::calls_of_query;
use super::names::{argument_name, distinct, rust_name};
pub use inline::{InlineArgument, InlineColumn, InlineQuery, NoCode, inline};
pub use nested::NestedRow;
pub use orders::{OrderPlan, OrdersPlan};
pub use pages::{PagedList, PagesPlan, PositionField};
use rows::Rows;
use types::Types;

/// A query file whose statements are checked.
#[derive(Debug, Clone)]
pub struct CheckedFile<'f> {
    /// The path of the file relative to the project's folder.
    pub name: &'f str,
    /// The name of the file without its ending.
    pub stem: &'f str,
    /// Its statements, each with the result of its check.
    pub queries: Vec<(&'f NamedQuery, Checked)>,
}

/// The generated code for a query file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueryFilePlan {
    /// The module, which is the name of the file without its ending.
    pub module: String,
    /// The query file.
    pub source: String,
    /// A function for each statement.
    pub functions: Vec<QueryFunction>,
    /// The structs for the rows of its statements.
    pub rows: Vec<RowPlan>,
    /// The names that the file imports.
    pub uses: Uses,
    /// The name of the database, for a program that opens several.
    pub database: Option<String>,
}

/// The names that the file imports.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Uses {
    /// Paths in other crates.
    pub imports: Vec<String>,
    /// Types of the other generated files: ids, enums and rows.
    pub types: Vec<String>,
    /// The modules of `schema.rs` with marker types, as a table's file names them.
    pub schemas: Vec<String>,
}

/// A function that returns a ready query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueryFunction {
    /// The name of the statement in the query file.
    pub name: String,
    /// The text of its documentation.
    pub docs: String,
    /// An argument for each parameter.
    pub arguments: Vec<ArgumentPlan>,
    /// The output of the query: `Vec<TransferRow>`.
    pub output: String,
    /// True unless the statement certainly writes nothing and locks nothing.
    pub writes: bool,
    /// The functions that it calls through views and policies: names, separated by spaces.
    pub calls: String,
    /// The SQL, on one line, in the first of its orders.
    pub sql: String,
    /// True if the SQL has gaps for conditions that a call can leave out.
    pub is_template: bool,
    /// Its orders, if the header names some.
    pub orders: Option<OrdersPlan>,
    /// Its pages, if the header says that it has some.
    pub pages: Option<PagesPlan>,
}

/// A parameter of a query, as an argument.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ArgumentPlan {
    /// The name in Rust.
    pub name: String,
    /// The type in Rust.
    pub rust_type: String,
    /// The type of diesel that it is sent as.
    pub sql_type: String,
    /// The OID to send, where it is not that of the SQL type, and that of an array's elements.
    pub oids: Option<(u32, Option<u32>)>,
    /// The types that the SQL casts it to, in their order: `text::tsvector`.
    pub cast: Option<String>,
    /// The number of the condition that is left out without a value.
    pub condition: Option<usize>,
}

/// A struct for the rows of one or more queries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowPlan {
    /// The name in Rust.
    pub name: String,
    /// The functions that return it.
    pub of: Vec<String>,
    /// The column that holds such rows, for rows within rows.
    pub column: Option<String>,
    /// A field for each column.
    pub fields: Vec<ValuePlan>,
    /// Derives from the settings.
    pub extra_derives: Vec<String>,
}

/// A column of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValuePlan {
    /// The name of the field.
    pub name: String,
    /// The name of the column.
    pub sql_name: String,
    /// The type in Rust.
    pub rust_type: String,
    /// The type of diesel that it is read as.
    pub sql_type: String,
    /// True if `bowline::types::json` writes it as JSON, since serde cannot.
    pub by_json: bool,
    /// The comment of the column.
    pub comment: Option<String>,
}

/// Plans the code of a query file; fails with the mistakes, each with its position in the file.
pub fn query_file(
    catalog: &Catalog,
    plan: &Plan,
    file: &CheckedFile<'_>,
    derives: &[String],
) -> Result<QueryFilePlan, Vec<Mistake>> {
    let mut mistakes = Vec::new();
    let mut types = Types::new(catalog, plan);
    let mut rows = Rows::new(plan, derives);
    let mut functions = Vec::new();
    for (named, checked) in &file.queries {
        match function(file, plan, named, checked, &mut types, &mut rows) {
            Ok(function) => functions.push(QueryFunction {
                calls: calls_of_query(catalog, &checked.query.sql),
                ..function
            }),
            Err(mistake) => mistakes.push(mistake),
        }
    }
    if !mistakes.is_empty() {
        return Err(mistakes);
    }
    orders::distinct_types(file, &functions, &rows, &types)?;
    let mut uses = types.into_uses();
    uses.types.sort();
    uses.types.dedup();
    Ok(QueryFilePlan {
        module: module(file.stem),
        source: file.name.to_owned(),
        functions,
        rows: rows.planned,
        uses,
        database: plan.database.clone(),
    })
}

/// Returns the module of a query file.
pub fn module(stem: &str) -> String {
    rust_name(&stem.to_lowercase(), None)
}

fn function<'p>(
    file: &CheckedFile<'_>,
    plan: &Plan,
    named: &NamedQuery,
    checked: &Checked,
    types: &mut Types<'p>,
    rows: &mut Rows<'p>,
) -> Result<QueryFunction, Mistake> {
    let query = &checked.query;
    let name = &named.name.text;
    let rust = rust_name(&heck::ToSnakeCase::to_snake_case(name.as_str()), None);
    if rust != *name {
        return Err(mistake(
            named.name.span.clone(),
            format!("`{name}` is not the name of a function in Rust"),
            format!("write -- name: {rust}"),
        ));
    }
    let Some(annotated) = &named.annotation else {
        return Err(mistake(
            named.name.span.clone(),
            format!("`{name}` does not say how many rows it returns"),
            format!(
                "write -- name: {name} {}, or run `bowline queries --fix`",
                Annotation::of(query.rows)
            ),
        ));
    };
    let arguments = arguments(named, query, types)?;
    let orders = orders::planned(named, checked, &arguments, types)?;
    let sql = sql(named, query, &arguments, types)?;
    let mut row = String::new();
    let output = match annotated.annotation {
        Annotation::Affected => "bowline::statement::RowsAffected".to_owned(),
        Annotation::Exactly(rows) => format!("bowline::statement::Exactly<{rows}>"),
        Annotation::One => rows.of(named, query, types)?,
        Annotation::Optional => format!("Option<{}>", rows.of(named, query, types)?),
        Annotation::Many => format!("Vec<{}>", rows.of(named, query, types)?),
        Annotation::Page => {
            row = rows.of(named, query, types)?;
            format!("Vec<{row}>")
        }
    };
    let pages = pages::planned(
        file,
        plan,
        (named, checked),
        (&arguments, orders.as_ref()),
        &row,
        types,
    )?;
    let mut docs = match named.docs.as_str() {
        "" => format!("Runs `{name}` of `{}`.", file.name),
        docs => docs.to_owned(),
    };
    for constraints in constraints(query, plan) {
        docs.push_str(&format!(
            "\n\nA violated constraint is {} [`{constraints}`](super::super::{constraints}).",
            super::article(&constraints)
        ));
    }
    Ok(QueryFunction {
        name: name.clone(),
        docs,
        arguments,
        output,
        writes: writes(query),
        calls: String::new(),
        sql,
        is_template: !named.optional.is_empty(),
        orders,
        pages,
    })
}

/// Returns the SQL on one line, with the casts of its parameters and columns.
fn sql(
    named: &NamedQuery,
    query: &Query,
    arguments: &[ArgumentPlan],
    types: &Types<'_>,
) -> Result<String, Mistake> {
    let parameters: Vec<Option<&str>> = arguments
        .iter()
        .map(|argument| argument.cast.as_deref())
        .collect();
    let columns: Vec<(&str, Option<String>)> = query
        .columns
        .iter()
        .map(|column| (column.name.as_str(), types.cast(column)))
        .collect();
    let sql = casts::with_casts(query, &parameters, &columns).map_err(|column| {
        mistake(
            named.name.span.clone(),
            format!(
                "column {column} of `{}` has to be cast in the SQL",
                named.name.text
            ),
            format!("write {column}::text: Rust has no type for it"),
        )
    })?;
    Ok(named.template(&sql)?.unwrap_or(sql))
}

/// Returns the enums of the constraints that a statement can violate: those of the tables that it
/// writes to, unless it only deletes.
fn constraints(query: &Query, plan: &Plan) -> Vec<String> {
    let mut tokens = bowline_sql::tokens(&query.sql);
    let adds = tokens.any(|token| token.is_one_of(&["insert", "update", "merge"]));
    let written = query.writes.iter().filter(|_| adds);
    let tables = written.filter_map(|relation| types::table(plan, relation));
    tables
        .filter(|table| !table.constraints.is_empty())
        .map(super::TablePlan::constraint_type)
        .collect()
}

/// Returns true unless a statement is a query that locks nothing and has no statement that writes.
fn writes(query: &Query) -> bool {
    let mut tokens = bowline_sql::tokens(&query.sql);
    let reads = ["select", "with", "values", "table"];
    let is_query = tokens
        .find(|token| !token.is("("))
        .is_some_and(|first| first.is_one_of(&reads));
    let all: Vec<_> = bowline_sql::tokens(&query.sql).collect();
    let locks = all
        .windows(2)
        .any(|pair| pair[0].is_word("for") && pair[1].is_one_of(&["update", "share", "no", "key"]));
    !is_query || locks || !query.writes.is_empty()
}

fn arguments(
    named: &NamedQuery,
    query: &Query,
    types: &mut Types<'_>,
) -> Result<Vec<ArgumentPlan>, Mistake> {
    let names = query
        .parameters
        .iter()
        .enumerate()
        .map(|(index, parameter)| {
            let written = named.sql.names.get(index).map(String::as_str);
            let column = parameter.column.as_ref().map(|(_, column)| column.as_str());
            match written.or(column) {
                Some(name) => {
                    argument_name(&rust_name(&heck::ToSnakeCase::to_snake_case(name), None))
                }
                None => format!("parameter_{}", index + 1),
            }
        });
    let names = distinct(names);
    let arguments = names.into_iter().zip(&query.parameters).enumerate();
    arguments
        .map(|(index, (name, parameter))| {
            let argument = types
                .argument(parameter, named.is_nullable(index))
                .map_err(|why| {
                    let shown = named.parameter_name(index);
                    let data_type = parameter.data_type.format_type();
                    mistake(
                        first_use(named, index),
                        format!("the parameter `{shown}` has {why}"),
                        format!(
                            "cast a text in the SQL: {}::text::{data_type}",
                            prefixed(&shown)
                        ),
                    )
                })?;
            let condition = named.condition(index);
            let rust_type = match condition {
                Some(_) => format!("Option<{}>", argument.rust_type),
                None => argument.rust_type,
            };
            Ok(ArgumentPlan {
                name,
                rust_type,
                condition,
                ..argument
            })
        })
        .collect()
}

/// Returns a parameter as it is written: `:name` or `$1`.
fn prefixed(name: &str) -> String {
    if name.starts_with('$') {
        name.to_owned()
    } else {
        format!(":{name}")
    }
}

/// Returns the position of a parameter's first use, in bytes of the file.
fn first_use(named: &NamedQuery, index: usize) -> std::ops::Range<usize> {
    let text = format!("${}", index + 1);
    let mut tokens = bowline_sql::tokens(&named.sql.text);
    let used = tokens.find(|token| token.text() == text);
    used.map_or(named.name.span.clone(), |token| {
        named.sql.positions.in_file(&(token.start()..token.end()))
    })
}

fn mistake(span: std::ops::Range<usize>, message: String, hint: String) -> Mistake {
    Mistake {
        code: None,
        message,
        span,
        hint: Some(hint),
    }
}
