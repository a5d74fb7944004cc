//! What stops the generation: names that would be given twice, settings that name nothing.

use std::collections::BTreeMap;

use bowline_catalog::Name;

use super::enums::{EnumPlan, toml_key};
use super::table::TablePlan;

/// What cannot be generated as things are, and the setting that changes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    pub what: String,
    pub hint: String,
}

impl Problem {
    pub(super) fn new(what: String, hint: String) -> Self {
        Self { what, hint }
    }
}

/// A name as a person knows it: without its schema, if that is the usual one.
pub(crate) fn shown(name: &Name) -> String {
    if name.schema == "public" {
        name.name.clone()
    } else {
        format!("{}.{}", name.schema, name.name)
    }
}

/// The key of a setting for a name.
pub(crate) fn key(name: &Name) -> String {
    toml_key(&shown(name))
}

/// Types that would get one Rust name; for each pair of tables or enums only the first.
pub(super) fn collisions(tables: &[TablePlan], enums: &[EnumPlan]) -> Vec<Problem> {
    let mut seen: BTreeMap<String, (String, Name)> = BTreeMap::new();
    let mut pairs: Vec<(Name, Name)> = Vec::new();
    let mut problems = Vec::new();
    let of_tables = tables.iter().flat_map(|table| {
        let whose = format!("table {}", shown(&table.name));
        let names = table.type_names().into_iter();
        names.map(move |name| (name, whose.clone(), table.name.clone()))
    });
    let of_enums = enums.iter().map(|plan| {
        let whose = format!("enum {}", shown(&plan.sql_name));
        (plan.name.clone(), whose, plan.sql_name.clone())
    });
    for (name, second, sql_name) in of_tables.chain(of_enums) {
        let Some((first, first_name)) = seen.get(&name) else {
            seen.insert(name, (second, sql_name));
            continue;
        };
        let pair = (first_name.clone(), sql_name);
        if !pairs.contains(&pair) {
            problems.push(Problem::new(
                format!("{first} and {second} would both be called {name} in Rust"),
                format!(
                    "name one of the two in Cargo.toml: [package.metadata.bowline.names] {} = \"..\", or {} = \"..\"",
                    key(&pair.0),
                    key(&pair.1)
                ),
            ));
            pairs.push(pair);
        }
    }
    problems
}
