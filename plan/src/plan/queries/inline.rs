//! A query in the source code of a program: that of a `query!`.

use bowline_catalog::Catalog;
use bowline_catalog::query::{Column, Query};

use super::super::Plan;
use super::super::calls::calls_of_query;
use super::super::names::{distinct, rust_name};
use super::absolute::Paths;
use super::casts::with_casts;
use super::nested::{Nested, NestedRow, no_type_hint};
use super::types::{ReadColumn, Types};
use super::writes;

/// The parameters and columns of a query, with types that are absolute paths.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InlineQuery {
    /// An argument for each parameter.
    pub arguments: Vec<InlineArgument>,
    /// The columns of the result. There are none for a statement that returns no rows.
    pub columns: Vec<InlineColumn>,
    /// The structs for rows within rows that no table has, the innermost first.
    pub nested: Vec<NestedRow>,
    /// True unless the statement certainly writes nothing and locks nothing.
    pub writes: bool,
    /// The functions that it calls through views and policies: names, separated by spaces.
    pub calls: String,
    /// The SQL, on one line.
    pub sql: String,
    /// The name of the database, for a program that opens several.
    pub database: Option<String>,
}

/// A parameter of an inline query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InlineArgument {
    /// The type in Rust, as an absolute path.
    pub rust_type: String,
    /// The type of diesel that it is sent as.
    pub sql_type: String,
    /// The OID to send, where it is not that of the SQL type, and that of an array's elements.
    pub oids: Option<(u32, Option<u32>)>,
}

/// A column of an inline query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InlineColumn {
    /// The name of the field.
    pub name: String,
    /// The name of the column, without what follows in the alias.
    pub sql_name: String,
    /// The type in Rust, as an absolute path.
    pub rust_type: String,
    /// The type of diesel that it is read as.
    pub sql_type: String,
    /// The comment of the column that it comes from.
    pub comment: Option<String>,
}

/// The reason why no code can be written for a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoCode {
    /// The message.
    pub message: String,
    /// A hint.
    pub hint: String,
    /// The index of the parameter at fault, from 0 on.
    pub parameter: Option<usize>,
    /// The name of the column at fault, as it is written in the SQL.
    pub column: Option<String>,
}

/// Plans the code of a query whose parameters can be NULL where `nullable_parameters` says so.
///
/// `module` is the path of the module with the generated code.
pub fn inline(
    catalog: &Catalog,
    plan: &Plan,
    query: &Query,
    nullable_parameters: &[bool],
    module: &str,
) -> Result<InlineQuery, NoCode> {
    let mut types = Types::new(catalog, plan);
    let mut arguments = Vec::new();
    for (index, parameter) in query.parameters.iter().enumerate() {
        let is_nullable = nullable_parameters.get(index).is_some_and(|it| *it);
        let planned = types.argument(parameter, is_nullable).map_err(|why| {
            let data_type = parameter.data_type.format_type();
            NoCode {
                message: format!("the parameter ${} has {why}", index + 1),
                hint: format!("cast a text in the SQL: ${}::text::{data_type}", index + 1),
                parameter: Some(index),
                column: None,
            }
        })?;
        arguments.push(planned);
    }
    let mut nested = Nested::new(plan, &mut types);
    let mut casts = Vec::new();
    let mut columns: Vec<InlineColumn> = Vec::new();
    let aliases: Vec<Alias<'_>> = query
        .columns
        .iter()
        .map(|column| Alias::read(&column.name))
        .collect();
    let names = distinct(aliases.iter().map(|alias| rust_name(alias.name, None)));
    for (index, ((column, alias), name)) in
        query.columns.iter().zip(&aliases).zip(names).enumerate()
    {
        let no_code = |message: String, hint: String| NoCode {
            message,
            hint,
            parameter: None,
            column: Some(column.name.clone()),
        };
        if alias.name == "?column?" {
            return Err(no_code(
                format!("column {} has no name", index + 1),
                "name it in the SQL with AS".to_owned(),
            ));
        }
        if columns.iter().any(|other| other.sql_name == alias.name) {
            return Err(no_code(
                format!("two columns have the name {}", alias.name),
                "give one of them another name with AS".to_owned(),
            ));
        }
        let read = of_column(&mut nested, column, alias).map_err(|why| {
            no_code(
                format!("column {} has {why}", alias.name),
                no_type_hint(column, alias.name, nested.is_row(&column.data_type)),
            )
        })?;
        casts.push((column.name.as_str(), read.cast));
        columns.push(InlineColumn {
            name,
            sql_name: alias.name.to_owned(),
            rust_type: read.rust_type,
            sql_type: read.sql_type,
            comment: column.comment.clone(),
        });
    }
    let mut nested = nested.planned;
    let parameters: Vec<Option<&str>> = arguments
        .iter()
        .map(|argument| argument.cast.as_deref())
        .collect();
    let sql = with_casts(query, &parameters, &casts).map_err(|column| NoCode {
        message: format!("column {column} has to be cast in the SQL"),
        hint: format!("write {column}::text: Rust has no type for it"),
        parameter: None,
        column: Some(column.to_owned()),
    })?;
    let paths = Paths::new(types.into_uses(), module);
    for column in &mut columns {
        column.sql_type = paths.absolute(&column.sql_type);
        column.rust_type = match column.rust_type.split_once(WRITTEN) {
            // A type that the user wrote is resolved where the macro is called.
            Some((before, written)) => {
                let (written, after) = written.split_once(WRITTEN).unwrap_or((written, ""));
                format!("{}{written}{after}", paths.absolute(before))
            }
            None => paths.absolute(&column.rust_type),
        };
    }
    for field in nested.iter_mut().flat_map(|row| &mut row.fields) {
        field.sql_type = paths.absolute(&field.sql_type);
        field.rust_type = paths.absolute(&field.rust_type);
    }
    let arguments = arguments.into_iter().map(|argument| InlineArgument {
        rust_type: paths.absolute(&argument.rust_type),
        sql_type: paths.absolute(&argument.sql_type),
        oids: argument.oids,
    });
    Ok(InlineQuery {
        arguments: arguments.collect(),
        columns,
        nested,
        writes: writes(query),
        calls: calls_of_query(catalog, &query.sql),
        sql,
        database: plan.database.clone(),
    })
}

/// The name of the struct that a query in source code returns.
const ROW: &str = "Row";

/// Encloses a type that the user wrote.
const WRITTEN: char = '\u{1}';

/// Returns the way in which a column is read, including what its alias requests.
fn of_column(
    nested: &mut Nested<'_, '_>,
    column: &Column,
    alias: &Alias<'_>,
) -> Result<ReadColumn, String> {
    let not_null = Column {
        nullable: false,
        ..column.clone()
    };
    let mut read = nested.column(&not_null, alias.name, ROW)?;
    if let Some(written) = alias.rust_type {
        read.rust_type = format!("{WRITTEN}{written}{WRITTEN}");
    }
    if alias.nullable.unwrap_or(column.nullable) {
        read.rust_type = format!("Option<{}>", read.rust_type);
        read.sql_type = format!("sql_types::Nullable<{}>", read.sql_type);
    }
    Ok(read)
}

/// The parts of an alias: `name!`, `name?`, `name: Type`, `name!: Type`.
struct Alias<'a> {
    name: &'a str,
    /// Whether the column can be NULL; `None` if the alias does not say.
    nullable: Option<bool>,
    rust_type: Option<&'a str>,
}

impl<'a> Alias<'a> {
    fn read(text: &'a str) -> Self {
        // The name that PostgreSQL gives to an expression without one.
        if text == "?column?" {
            return Self {
                name: text,
                nullable: None,
                rust_type: None,
            };
        }
        let (name, rust_type) = match text.split_once(':') {
            Some((name, rust_type)) => (name.trim_end(), Some(rust_type.trim())),
            None => (text, None),
        };
        let (name, nullable) = if let Some(name) = name.strip_suffix('!') {
            (name, Some(false))
        } else if let Some(name) = name.strip_suffix('?') {
            (name, Some(true))
        } else {
            (name, None)
        };
        Self {
            name,
            nullable,
            rust_type: rust_type.filter(|written| !written.is_empty()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alias_says_what_follows_the_name() {
        let read = |text| {
            let alias = Alias::read(text);
            format!("{} {:?} {:?}", alias.name, alias.nullable, alias.rust_type)
        };
        assert_eq!(read("id"), "id None None");
        assert_eq!(read("id!"), "id Some(false) None");
        assert_eq!(read("id?"), "id Some(true) None");
        assert_eq!(read("id: my::Id"), "id None Some(\"my::Id\")");
        assert_eq!(read("id!:Id"), "id Some(false) Some(\"Id\")");
        assert_eq!(read("id?: Id"), "id Some(true) Some(\"Id\")");
        assert_eq!(read("?column?"), "?column? None None");
    }
}
