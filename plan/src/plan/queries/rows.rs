//! The row structs of a query file.

use bowline_catalog::query::{Column, Query};
use bowline_catalog::query_file::{Mistake, NamedQuery};

use super::super::names::{distinct, is_needed, own_type_name, rust_name};
use super::super::{Plan, TablePlan};
use super::types::{Types, table};
use super::{RowPlan, ValuePlan, mistake};

/// Collects the row structs.
pub(super) struct Rows<'p> {
    plan: &'p Plan,
    derives: &'p [String],
    pub(super) planned: Vec<RowPlan>,
    /// The row types of tables that queries return.
    pub(super) of_tables: Vec<String>,
}

impl<'p> Rows<'p> {
    pub(super) fn new(plan: &'p Plan, derives: &'p [String]) -> Self {
        Self {
            plan,
            derives,
            planned: Vec::new(),
            of_tables: Vec::new(),
        }
    }

    /// Returns the name of the row type of a query: that of the table whose columns it returns, or
    /// a struct of its own.
    pub(super) fn of(
        &mut self,
        named: &NamedQuery,
        query: &Query,
        types: &mut Types<'_>,
    ) -> Result<String, Mistake> {
        let written = named.row.as_ref();
        let whole = self.whole_table(query);
        if let Some(table) =
            whole.filter(|table| written.is_none_or(|written| written.text == table.row))
        {
            self.of_tables.push(table.row.clone());
            return Ok(table.row.clone());
        }
        let name = written.map_or_else(
            || own_type_name(&format!("{}_row", named.name.text), "Row"),
            |written| written.text.clone(),
        );
        let span = written.map_or(&named.name, |written| written).span.clone();
        if let Some(table) = self.plan.tables.iter().find(|table| table.row == name) {
            return Err(mistake(
                span,
                format!(
                    "the columns of `{}` are not those of `{name}`, the row type of {}",
                    named.name.text, table.sql_name
                ),
                "return each column of the table in its order, or choose another name".to_owned(),
            ));
        }
        if self.is_taken(&name) {
            return Err(mistake(
                span,
                format!("the name `{name}` of the row type is in use"),
                "name another one in the header: -- row: AccountSummary".to_owned(),
            ));
        }
        let fields = fields(named, query, self.plan, types)?;
        match self.planned.iter_mut().find(|row| row.name == name) {
            Some(row) if row.fields != fields => Err(mistake(
                span,
                format!(
                    "the columns of `{}` are not those of `{}`, which has the row type `{name}` too",
                    named.name.text,
                    row.of.first().map_or("", String::as_str)
                ),
                differing(&row.fields, &fields),
            )),
            Some(row) => {
                row.of.push(named.name.text.clone());
                Ok(name)
            }
            None => {
                self.planned.push(RowPlan {
                    name: name.clone(),
                    of: vec![named.name.text.clone()],
                    fields,
                    extra_derives: self.derives.to_vec(),
                });
                Ok(name)
            }
        }
    }

    /// Returns the table whose columns a query returns, all and in their order.
    fn whole_table(&self, query: &Query) -> Option<&'p TablePlan> {
        let (relation, _) = query.columns.first()?.column.as_ref()?;
        let table = table(self.plan, relation)?;
        let is_field = |(column, field): (&Column, &super::super::Field)| {
            column.name == field.sql_name
                && column.column.as_ref() == Some(&(relation.clone(), field.sql_name.clone()))
                && column.nullable <= (field.options > 0)
        };
        let is_whole = table.fields.len() == query.columns.len()
            && query.columns.iter().zip(&table.fields).all(is_field);
        is_whole.then_some(table)
    }

    /// Returns true for a name that the file uses for another type.
    fn is_taken(&self, name: &str) -> bool {
        let of_tables = self.plan.tables.iter();
        let mut of_tables = of_tables.flat_map(|table| table.type_names());
        let mut of_enums = self.plan.enums.iter();
        name == "StaticSql"
            || is_needed(name)
            || of_tables.any(|other| other == name)
            || of_enums.any(|other| other.name == name)
    }
}

fn fields(
    named: &NamedQuery,
    query: &Query,
    plan: &Plan,
    types: &mut Types<'_>,
) -> Result<Vec<ValuePlan>, Mistake> {
    let mut fields: Vec<ValuePlan> = Vec::new();
    let names = query
        .columns
        .iter()
        .map(|column| rust_name(&column.name, None));
    for (index, (column, name)) in query.columns.iter().zip(distinct(names)).enumerate() {
        let span = || named.name.span.clone();
        if column.name == "?column?" {
            return Err(mistake(
                span(),
                format!("column {} of `{}` has no name", index + 1, named.name.text),
                "name it in the SQL with AS".to_owned(),
            ));
        }
        if fields.iter().any(|other| other.sql_name == column.name) {
            return Err(mistake(
                span(),
                format!(
                    "two columns of `{}` have the name {}",
                    named.name.text, column.name
                ),
                "give one of them another name with AS".to_owned(),
            ));
        }
        let (rust_type, sql_type) = types.column(column).map_err(|why| {
            mistake(
                span(),
                format!("column {} of `{}` has {why}", column.name, named.name.text),
                match &column.row {
                    Some(_) => "name its columns: accounts.id, accounts.username".to_owned(),
                    None => format!(
                        "cast it in the SQL to a type that Rust has, such as {}::text",
                        column.name
                    ),
                },
            )
        })?;
        fields.push(ValuePlan {
            name,
            sql_name: column.name.clone(),
            rust_type,
            sql_type,
            comment: column.comment.clone().or_else(|| comment(plan, column)),
        });
    }
    Ok(fields)
}

/// Returns the comment of the column that the values are from.
fn comment(plan: &Plan, column: &Column) -> Option<String> {
    let (relation, name) = column.column.as_ref()?;
    let fields = &table(plan, relation)?.fields;
    let field = fields.iter().find(|field| field.sql_name == *name)?;
    field.comment.clone()
}

/// Returns the first difference between the columns of two queries, as a hint.
fn differing(first: &[ValuePlan], second: &[ValuePlan]) -> String {
    let mut pairs = first.iter().zip(second);
    let found = pairs.find(|(first, second)| first != second);
    match found {
        Some((first, second)) if first.sql_name != second.sql_name => {
            format!(
                "one has a column {}, the other {}",
                first.sql_name, second.sql_name
            )
        }
        Some((first, second)) => format!(
            "column {} is {} in one and {} in the other",
            first.sql_name, first.rust_type, second.rust_type
        ),
        None => "one has more columns than the other".to_owned(),
    }
}
