//! The orders of a query file's query: `-- order: newest = created_at DESC, id` is a variant.

use bowline_catalog::query_file::{Checked, Mistake, NamedQuery};

use super::rows::Rows;
use super::types::Types;
use super::{ArgumentPlan, CheckedFile, QueryFunction, distinct, mistake, sql};

/// The orders of a query, as an enum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrdersPlan {
    /// The name of the enum in Rust.
    pub name: String,
    /// The argument.
    pub argument: String,
    /// The orders.
    pub orders: Vec<OrderPlan>,
}

/// An order of a query, as a variant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderPlan {
    /// The name in the query file.
    pub name: String,
    /// The name of the variant in Rust.
    pub variant: String,
    /// The name of its constant in Rust.
    pub constant: String,
    /// What stands after ORDER BY.
    pub order_by: String,
    /// The SQL, on one line.
    pub sql: String,
}

/// Returns the enum of the orders, if the header names some.
pub(super) fn planned(
    named: &NamedQuery,
    checked: &Checked,
    arguments: &[ArgumentPlan],
    types: &Types<'_>,
) -> Result<Option<OrdersPlan>, Mistake> {
    if named.orders.is_empty() {
        return Ok(None);
    }
    let mut orders: Vec<OrderPlan> = Vec::new();
    for (order, query) in named.orders.iter().zip(&checked.orders) {
        let word = &order.name;
        let variant = heck::ToUpperCamelCase::to_upper_camel_case(word.text.as_str());
        let constant = heck::ToShoutySnakeCase::to_shouty_snake_case(variant.as_str());
        let is_type = variant.starts_with(|c: char| c.is_ascii_uppercase()) && variant != "Self";
        if !is_type || orders.iter().any(|other| other.constant == constant) {
            return Err(mistake(
                word.span.clone(),
                format!("`{}` gives no name of its own in Rust", word.text),
                "write names such as newest and by_title".to_owned(),
            ));
        }
        orders.push(OrderPlan {
            name: word.text.clone(),
            constant,
            variant,
            order_by: bowline_sql::one_line(&order.sql.order),
            // The types of the columns are those of all orders together.
            sql: sql(named, query, arguments, types)?,
        });
    }
    let mut names: Vec<String> = arguments.iter().map(|it| it.name.clone()).collect();
    names.push("order".to_owned());
    let upper = heck::ToUpperCamelCase::to_upper_camel_case(named.name.text.as_str());
    Ok(Some(OrdersPlan {
        name: format!("{upper}Order"),
        argument: distinct(names.into_iter()).pop().unwrap_or_default(),
        orders,
    }))
}

/// Fails if a type of orders or pages has the name of another type.
pub(super) fn distinct_types(
    file: &CheckedFile<'_>,
    functions: &[QueryFunction],
    rows: &Rows<'_>,
    types: &Types<'_>,
) -> Result<(), Vec<Mistake>> {
    let mut mistakes = Vec::new();
    let mut before: Vec<&str> = Vec::new();
    for function in functions {
        for name in own_types(function) {
            let is_row = rows.planned.iter().any(|row| row.name == name);
            if !is_row && !before.contains(&name) && !types.uses_type(name) {
                before.push(name);
                continue;
            }
            let named = file.queries.iter().map(|(named, _)| *named);
            let named = named.filter(|named| named.name.text == function.name);
            mistakes.extend(named.map(|named| {
                mistake(
                    named.name.span.clone(),
                    format!(
                        "`{}` would have a type with the name of another type",
                        function.name
                    ),
                    format!("`{name}` is taken: give the query another name"),
                )
            }));
        }
    }
    if mistakes.is_empty() {
        Ok(())
    } else {
        Err(mistakes)
    }
}

/// Returns the types of the orders and pages of a function.
fn own_types(function: &QueryFunction) -> Vec<&str> {
    let orders = function.orders.iter().map(|orders| orders.name.as_str());
    let pages = function.pages.iter();
    let pages = pages.flat_map(|pages| {
        let lists = pages.lists.iter().map(|list| list.position.as_str());
        lists.chain(pages.choice.as_deref())
    });
    orders.chain(pages).collect()
}
