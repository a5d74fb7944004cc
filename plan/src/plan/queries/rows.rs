//! The row structs of a query file.

use bowline_catalog::query::Query;
use bowline_catalog::query_file::{Mistake, NamedQuery};

use super::super::Plan;
use super::super::names::{derivable_name, distinct, is_needed, own_type_name, rust_name};
use super::nested::{Nested, NestedRow, ROW_OF, comment, no_type_hint, whole_table};
use super::types::Types;
use super::{RowPlan, ValuePlan, mistake};

/// Collects the row structs.
pub(super) struct Rows<'p> {
    plan: &'p Plan,
    derives: &'p [String],
    pub(super) planned: Vec<RowPlan>,
}

impl<'p> Rows<'p> {
    pub(super) fn new(plan: &'p Plan, derives: &'p [String]) -> Self {
        Self {
            plan,
            derives,
            planned: Vec::new(),
        }
    }

    /// Returns the name of the row type of a query: that of the table whose columns it returns, or
    /// a struct of its own.
    pub(super) fn of(
        &mut self,
        named: &NamedQuery,
        query: &Query,
        types: &mut Types<'p>,
    ) -> Result<String, Mistake> {
        let written = named.row.as_ref();
        let whole = whole_table(self.plan, &query.columns);
        if let Some(table) =
            whole.filter(|table| written.is_none_or(|written| written.text == table.row))
        {
            return Ok(types.row_of(table));
        }
        let name = written.map_or_else(
            || own_type_name(&format!("{}_row", named.name.text), "Row"),
            |written| written.text.clone(),
        );
        let span = written.map_or(&named.name, |written| written).span.clone();
        let mut tables = self.plan.tables.iter();
        if let Some(table) = tables.find(|table| table.full_row() == name) {
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
        let parent = written.map_or_else(
            || derivable_name(&named.name.text),
            |written| written.text.clone(),
        );
        let mut nested = Nested::new(self.plan, types);
        let fields = fields(named, query, &parent, &mut nested)?;
        for row in nested.planned {
            self.add_nested(row, named, span.clone())?;
        }
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
                    column: None,
                    fields,
                    extra_derives: self.derives.to_vec(),
                });
                Ok(name)
            }
        }
    }

    /// Adds the struct of rows within rows.
    fn add_nested(
        &mut self,
        row: NestedRow,
        named: &NamedQuery,
        span: std::ops::Range<usize>,
    ) -> Result<(), Mistake> {
        let same = self.planned.iter_mut().find(|it| it.name == row.name);
        if let Some(same) = same
            && same.fields == row.fields
        {
            same.of.push(named.name.text.clone());
            return Ok(());
        }
        if self.is_taken(&row.name) || self.planned.iter().any(|it| it.name == row.name) {
            return Err(mistake(
                span,
                format!(
                    "the name `{}` of the type of rows in {} is in use",
                    row.name, row.column
                ),
                "give the column another name with AS".to_owned(),
            ));
        }
        self.planned.push(RowPlan {
            name: row.name,
            of: vec![named.name.text.clone()],
            column: Some(row.column),
            fields: row.fields,
            extra_derives: self.derives.to_vec(),
        });
        Ok(())
    }

    /// Returns true if the file uses the name for another type.
    fn is_taken(&self, name: &str) -> bool {
        let of_tables = self.plan.tables.iter();
        let mut of_tables = of_tables.flat_map(|table| table.type_names());
        let mut of_enums = self.plan.enums.iter();
        ["StaticSql", ROW_OF].contains(&name)
            || is_needed(name)
            || of_tables.any(|other| other == name)
            || of_enums.any(|other| other.name == name)
    }
}

/// Returns the name of a column without the `!`, `?` or type that `query!` understands; `None` if
/// it has none of them.
fn without_mark(name: &str) -> Option<&str> {
    let (name, _) = name.split_once(": ").unwrap_or((name, ""));
    name.strip_suffix(['!', '?'])
        .filter(|name| !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_'))
}

fn fields(
    named: &NamedQuery,
    query: &Query,
    parent: &str,
    nested: &mut Nested<'_, '_>,
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
        if let Some(name) = without_mark(&column.name) {
            return Err(mistake(
                span(),
                format!(
                    "column {} of `{}` has a mark of sqlx",
                    column.name, named.name.text
                ),
                format!("what can be NULL is inferred: write AS {name}"),
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
        let typed = nested.column(column, &column.name, parent);
        let read = typed.map_err(|why| {
            let is_row = nested.is_row(&column.data_type);
            mistake(
                span(),
                format!("column {} of `{}` has {why}", column.name, named.name.text),
                no_type_hint(column, &column.name, is_row),
            )
        })?;
        fields.push(ValuePlan {
            name,
            sql_name: column.name.clone(),
            rust_type: read.rust_type,
            sql_type: read.sql_type,
            by_json: read.by_json,
            comment: column
                .comment
                .clone()
                .or_else(|| comment(nested.plan, column)),
        });
    }
    Ok(fields)
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
