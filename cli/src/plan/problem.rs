//! Problems that stop the generation: names given twice, settings that name nothing.

use std::collections::BTreeMap;

use crate::suggestion::nearest;
use bowline_catalog::Name;

use super::enums::{EnumPlan, toml_key};
use super::table::TablePlan;

/// A reason why nothing can be generated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    pub message: String,
    pub hint: Option<String>,
    /// The setting that has to change: the path to its key, or to a string in its list.
    pub setting: Option<Vec<String>>,
}

impl Problem {
    pub(super) fn new(message: String, hint: String) -> Self {
        Self {
            message,
            hint: Some(hint),
            setting: None,
        }
    }

    /// Returns a problem with a setting.
    pub(super) fn in_setting(setting: &[&str], message: String) -> Self {
        Self {
            message,
            hint: None,
            setting: Some(setting.iter().map(|&key| key.to_owned()).collect()),
        }
    }

    /// Adds the name that was probably meant, if one is similar.
    pub(super) fn suggest<'a>(mut self, word: &str, names: impl Iterator<Item = &'a str>) -> Self {
        self.hint = nearest(word, names).map(|meant| format!("did you mean {meant}?"));
        self
    }
}

/// Returns a name with its schema, unless that is `public`.
pub(crate) fn shown(name: &Name) -> String {
    if name.schema == "public" {
        name.name.clone()
    } else {
        format!("{}.{}", name.schema, name.name)
    }
}

/// Returns the key for a name in a table of settings.
pub(crate) fn key(name: &Name) -> String {
    toml_key(&shown(name))
}

/// Returns a problem for each pair of tables or enums of which two types would get one Rust name.
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
