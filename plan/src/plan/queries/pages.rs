//! The pages of a query file's query: `-- name: open :page`.

use bowline_catalog::query::{Parameter, Query};
use bowline_catalog::query_file::{
    Checked, Mistake, NamedQuery, PageHalves, PageQuery, Paged, PositionColumn,
};

use super::nested::whole_table;
use super::types::Types;
use super::{ArgumentPlan, CheckedFile, OrdersPlan, Plan, distinct, mistake, rust_name, sql};

/// The pages of a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PagesPlan {
    /// The enum of the pages in each order; `None` for a query without named orders.
    pub choice: Option<String>,
    /// The type of the rows.
    pub row: String,
    /// The list in each order.
    pub lists: Vec<PagedList>,
}

/// A list in one order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PagedList {
    /// The type of a position.
    pub position: String,
    /// What stands after ORDER BY.
    pub order_by: String,
    /// The list and its order, for the text of a position.
    pub name: String,
    /// The columns of a position.
    pub fields: Vec<PositionField>,
    /// The SQL of the first page, on one line.
    pub first: String,
    /// The SQL of the rows after a position.
    pub after: String,
    /// The SQL of the rows after a position whose nullable column is NULL.
    pub after_null: Option<String>,
    /// The SQL of the rows before a position, in the opposite order.
    pub before: String,
    /// The SQL of the rows before a position whose nullable column is NULL.
    pub before_null: Option<String>,
}

/// A column of a position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PositionField {
    /// The name of the field.
    pub name: String,
    /// The field of a row: `issue.updated_at`.
    pub path: String,
    /// The type in Rust.
    pub rust_type: String,
    /// The type of diesel that it is sent as; not nullable.
    pub sql_type: String,
    /// The OIDs to send, as of an argument.
    pub oids: Option<(u32, Option<u32>)>,
    /// True if it can be NULL.
    pub nullable: bool,
}

/// Returns the pages, if the query has pages. `row` is the type of its rows.
pub(super) fn planned(
    file: &CheckedFile<'_>,
    plan: &Plan,
    (named, checked): (&NamedQuery, &Checked),
    (arguments, orders): (&[ArgumentPlan], Option<&OrdersPlan>),
    row: &str,
    types: &mut Types<'_>,
) -> Result<Option<PagesPlan>, Mistake> {
    if checked.pages.is_empty() {
        return Ok(None);
    }
    let upper = heck::ToUpperCamelCase::to_upper_camel_case(named.name.text.as_str());
    let mut lists = Vec::new();
    for (number, paged) in checked.pages.iter().enumerate() {
        let order = orders.and_then(|orders| orders.orders.get(number));
        let variant = order.map_or("", |order| order.variant.as_str());
        let fields = fields(plan, named, &checked.query, paged, types)?;
        let mut all = arguments.to_vec();
        all.extend(fields.iter().map(|_| ArgumentPlan::default()));
        let sql = |query: &Query| sql(named, query, &all, types);
        let page = |page: &PageQuery| {
            let halves = page.halves.as_ref().map(|halves| {
                let (near, far) = (sql(&halves.near)?, sql(&halves.far)?);
                Ok(joined(&near, &far, halves))
            });
            match halves.transpose()?.flatten() {
                Some(joined) => Ok(joined),
                None => sql(&page.query),
            }
        };
        lists.push(PagedList {
            position: format!("{upper}{variant}Position"),
            order_by: paged.order.clone(),
            name: format!(
                "{}::{}: {}",
                super::module(file.stem),
                named.name.text,
                paged.order
            ),
            first: sql(&paged.first)?,
            after: page(&paged.after)?,
            after_null: paged.after_null.as_ref().map(page).transpose()?,
            before: page(&paged.before)?,
            before_null: paged.before_null.as_ref().map(page).transpose()?,
            fields,
        });
    }
    Ok(Some(PagesPlan {
        choice: orders.map(|_| format!("{upper}Page")),
        row: row.to_owned(),
        lists,
    }))
}

/// Returns both halves of a page as one query; `None` if something is around their texts, such as
/// the casts of columns.
fn joined(near: &str, far: &str, halves: &PageHalves) -> Option<String> {
    let [limit, own] = &halves.limits;
    near.strip_suffix(limit.as_str())?;
    let far = far.strip_suffix(own.as_str())?;
    Some(format!(
        "({near}) UNION ALL ({far}{limit}) ORDER BY {}{limit}",
        halves.order
    ))
}

fn fields(
    plan: &Plan,
    named: &NamedQuery,
    query: &Query,
    paged: &Paged,
    types: &mut Types<'_>,
) -> Result<Vec<PositionField>, Mistake> {
    let names = paged.position.iter().map(|it| rust_name(&it.of.name, None));
    let names = distinct(names);
    let columns = paged.position.iter().zip(names);
    columns
        .map(|(column, name)| {
            let refused = || {
                mistake(
                    named.name.span.clone(),
                    format!(
                        "`{}` cannot be ordered by column {} in pages",
                        named.name.text, column.of.name
                    ),
                    "a position has values that are sent and written to JSON as they are"
                        .to_owned(),
                )
            };
            let parameter = Parameter {
                data_type: column.of.data_type.clone(),
                column: column.of.column.clone(),
            };
            let read = types.column(&column.of).map_err(|_| refused())?;
            let sent = types.argument(&parameter, false).map_err(|_| refused())?;
            let nullable = column.of.nullable;
            let is_fit = column.of.row.is_none()
                && column.of.data_type.dimensions == 0
                && !read.by_json
                && read.cast.is_none()
                && sent.cast.is_none()
                && !(nullable && sent.oids.is_some())
                && !["Value", "Option<Value>"].contains(&read.rust_type.as_str());
            is_fit
                .then(|| PositionField {
                    path: path(plan, query, column),
                    name,
                    rust_type: read.rust_type,
                    sql_type: sent.sql_type,
                    oids: sent.oids,
                    nullable,
                })
                .ok_or_else(refused)
        })
        .collect()
}

/// Returns the field of a row that has the value.
fn path(plan: &Plan, query: &Query, column: &PositionColumn) -> String {
    let field = |columns: &[bowline_catalog::query::Column], number: usize| {
        let of_table = whole_table(plan, columns).and_then(|table| table.fields.get(number));
        of_table.map(|field| field.name.clone()).unwrap_or_else(|| {
            let names = columns.iter().map(|column| rust_name(&column.name, None));
            distinct(names).swap_remove(number)
        })
    };
    let outer = field(&query.columns, column.column);
    let row = query.columns[column.column].row.as_ref();
    match (row, column.field) {
        (Some(row), Some(number)) => format!("{outer}.{}", field(&row.fields, number)),
        _ => outer,
    }
}
