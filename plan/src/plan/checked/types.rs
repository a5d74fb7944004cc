//! Checks of the settings that are about types.

use bowline_catalog::{Catalog, Name, TypeKind};

use super::super::mapping::base;
use super::super::newtypes;
use super::super::problem::Problem;
use super::{is, missing, unknown};
use crate::project::Settings;

/// Returns the problems with `types`, with the domains of `newtypes`, and with the arrays of
/// `not_null_elements`.
pub(super) fn types(catalog: &Catalog, settings: &Settings) -> Vec<Problem> {
    let mut problems = Vec::new();
    let columns = catalog.relations.values();
    let columns = columns.flat_map(|relation| &relation.columns);
    let mut known: Vec<Name> = columns
        .map(|column| base(catalog, &column.data_type).name)
        .chain(catalog.types.keys().cloned())
        .collect();
    known.sort();
    known.dedup();
    let known: Vec<&Name> = known.iter().collect();
    for (key, rust_type) in &settings.types {
        problems.extend(unknown("types", "type", key, &known));
        if syn::parse_str::<syn::Type>(rust_type).is_err() {
            problems.push(Problem::in_setting(
                &["types", key, rust_type],
                format!("{rust_type:?} is not a type in Rust"),
            ));
        }
    }
    let domains = catalog.types.values();
    let domains = domains.filter(|found| matches!(found.kind, TypeKind::Domain { .. }));
    let domains: Vec<&Name> = domains.map(|found| &found.name).collect();
    for setting in &settings.newtypes {
        let Some(domain) = domains.iter().find(|name| is(name, setting)) else {
            problems.push(missing(&["newtypes", setting], "domain", setting, &domains));
            continue;
        };
        if let Some(why) = newtypes::why_not(catalog, domain) {
            problems.push(Problem::in_setting(
                &["newtypes", setting],
                format!("{setting} {why}"),
            ));
        }
    }
    for setting in &settings.not_null_elements {
        let Some((table, column)) = setting.rsplit_once('.') else {
            continue;
        };
        let mut relations = catalog.relations.values();
        let relation = relations.find(|relation| is(&relation.name, table));
        let mut columns = relation.into_iter().flat_map(|relation| &relation.columns);
        let is_array = columns
            .find(|found| found.name == column)
            .is_none_or(|found| base(catalog, &found.data_type).dimensions == 1);
        if !is_array {
            problems.push(Problem::in_setting(
                &["not_null_elements", setting],
                format!("{setting} is not an array of one dimension"),
            ));
        }
    }
    problems
}
