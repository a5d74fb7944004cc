//! Types that would get the same Rust name.

use std::collections::BTreeMap;

use bowline_catalog::Name;

use super::enums::EnumPlan;
use super::newtypes::NewtypePlan;
use super::own_types::CompositePlan;
use super::problem::{Problem, key, shown};
use super::table::TablePlan;

/// Returns a problem for each pair of tables, enums, domains or composite types with types of the
/// same Rust name.
pub(super) fn collisions(
    tables: &[TablePlan],
    enums: &[EnumPlan],
    newtypes: &[NewtypePlan],
    composites: &[CompositePlan],
) -> Vec<Problem> {
    let mut seen: BTreeMap<(Option<String>, String), (String, Name)> = BTreeMap::new();
    let mut pairs: Vec<(Name, Name)> = Vec::new();
    let mut problems = Vec::new();
    let of_tables = tables.iter().flat_map(|table| {
        let whose = format!("table {}", shown(&table.name));
        let names = table.type_names().into_iter();
        let of_module = move |name| (table.schema_module.clone(), name);
        names.map(move |name| (of_module(name), whose.clone(), table.name.clone()))
    });
    let of_enums = enums.iter().map(|plan| {
        let whose = format!("enum {}", shown(&plan.sql_name));
        ((None, plan.name.clone()), whose, plan.sql_name.clone())
    });
    let of_domains = newtypes.iter().map(|plan| {
        let whose = format!("domain {}", shown(&plan.sql_name));
        ((None, plan.name.clone()), whose, plan.sql_name.clone())
    });
    let of_composites = composites.iter().map(|plan| {
        let whose = format!("composite type {}", shown(&plan.sql_name));
        ((None, plan.name.clone()), whose, plan.sql_name.clone())
    });
    // The files of all schemas import the types of `types.rs`.
    let types = of_enums
        .chain(of_domains)
        .chain(of_composites)
        .map(|found| (found, true));
    for ((name, second, sql_name), is_everywhere) in of_tables.map(|it| (it, false)).chain(types) {
        let mut same = seen.iter();
        let same = same
            .find(|((module, other), _)| *other == name.1 && (is_everywhere || *module == name.0));
        let Some((_, (first, first_name))) = same else {
            seen.insert(name, (second, sql_name));
            continue;
        };
        let name = name.1;
        let pair = (first_name.clone(), sql_name);
        if !pairs.contains(&pair) {
            problems.push(Problem::new(
                format!("{first} and {second} would both be called {name} in Rust"),
                format!(
                    "name one of the two in bowline.toml: [names] {} = \"..\", or {} = \"..\"",
                    key(&pair.0),
                    key(&pair.1)
                ),
            ));
            pairs.push(pair);
        }
    }
    problems
}
