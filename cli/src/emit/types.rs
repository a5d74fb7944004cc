//! `types.rs`: the enums.

use std::collections::BTreeMap;

use bowline_plan::plan::EnumPlan;

use super::HEADER;
use super::layout::{doc, literal};

pub(super) fn types(enums: &[EnumPlan]) -> String {
    let modules = modules(enums);
    let mut out = format!("{HEADER} Do not edit.\n\n");
    for (path, name) in &modules {
        let alias = if name == "sql_types" {
            String::new()
        } else {
            format!(" as {name}")
        };
        out.push_str(&format!("use {path}::sql_types{alias};\n"));
    }
    for plan in enums {
        out.push_str("\nbowline::__generated::pg_enum! {\n");
        let comment = plan
            .comment
            .clone()
            .unwrap_or_else(|| format!("A value of the enum `{}`.", plan.sql_name.name));
        out.push_str(&doc(4, &comment));
        let markers: Vec<String> = plan
            .markers
            .iter()
            .filter_map(|(path, marker)| Some(format!("{}::{marker}", modules.get(path)?)))
            .collect();
        out.push_str(&format!(
            "    pub enum {}: {} {{\n",
            plan.name,
            markers.join(", ")
        ));
        for (variant, label) in &plan.variants {
            out.push_str(&format!("        {variant} = {},\n", literal(label)));
        }
        out.push_str("    }\n}\n");
    }
    out
}

/// Returns the name in this file of each module of marker types, by the module's path.
fn modules(enums: &[EnumPlan]) -> BTreeMap<&String, String> {
    let mut paths: Vec<&String> = enums
        .iter()
        .flat_map(|plan| plan.markers.iter().map(|(path, _)| path))
        .collect();
    paths.sort();
    paths.dedup();
    let name = |place: usize| match place {
        0 => "sql_types".to_owned(),
        _ => format!("sql_types{}", place + 1),
    };
    paths
        .into_iter()
        .enumerate()
        .map(|(place, path)| (path, name(place)))
        .collect()
}
