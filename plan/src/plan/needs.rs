//! The crates that generated code uses, and the features that it needs of them.

use super::Plan;
use super::built_in::JIFF;
use super::geometry::POSTGIS;

/// A crate that generated code uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    /// The name of the crate.
    pub name: &'static str,
    /// The version requirement in `Cargo.toml`.
    pub version: &'static str,
    /// True if its default features are needed.
    pub default_features: bool,
    /// Features that are needed.
    pub features: Vec<&'static str>,
}

/// The crates for modules that a row imports: crate, version, its feature, diesel's feature.
const BY_IMPORT: [(&str, &str, Option<&str>, &str); 2] = [
    ("chrono", "0.4", Some("serde"), "chrono"),
    ("serde_json", "1", None, "serde_json"),
];

/// The modules of bowline that a row imports, and the feature for each, which includes diesel's.
const FEATURES: [(&str, &str); 5] = [
    ("bowline::types::bigdecimal::", "numeric"),
    ("bowline::types::ipnetwork::", "network-address"),
    ("bowline::types::pgvector::", "pgvector"),
    ("bowline::types::rust_decimal::", "rust-decimal"),
    ("bowline::types::uuid::", "uuid"),
];

/// Returns the crates, sorted by name; bowline itself only if a feature of it is needed.
pub fn needs(plan: &Plan) -> Vec<Need> {
    let fields = plan.tables.iter().flat_map(|table| &table.fields);
    let ids = plan.tables.iter().filter_map(|table| table.id.as_ref());
    let attributes = plan.composites.iter().flat_map(|found| &found.attributes);
    let imports: Vec<&String> = fields
        .flat_map(|field| &field.rust_type.imports)
        .chain(ids.filter_map(|id| id.import.as_ref()))
        .chain(attributes.flat_map(|attribute| &attribute.rust_type.imports))
        .chain(plan.queries.iter().flat_map(|file| &file.uses.imports))
        .collect();
    let mut diesel_features = vec!["postgres_backend"];
    let mut needs = vec![Need {
        name: "serde",
        version: "1",
        default_features: true,
        features: vec!["derive"],
    }];
    for (name, version, feature, diesel_feature) in BY_IMPORT {
        let prefix = format!("{name}::");
        if imports.iter().any(|import| import.starts_with(&prefix)) {
            diesel_features.push(diesel_feature);
            needs.push(Need {
                name,
                version,
                default_features: true,
                features: feature.into_iter().collect(),
            });
        }
    }
    if names(plan, "::time::") {
        diesel_features.push("time");
        needs.push(Need {
            name: "time",
            version: "0.3",
            default_features: true,
            features: vec!["serde-human-readable"],
        });
    }
    let mut bowline_features: Vec<_> = FEATURES
        .into_iter()
        .filter(|(module, _)| imports.iter().any(|import| import.starts_with(module)))
        .map(|(_, feature)| feature)
        .collect();
    for (module, feature) in [(JIFF, "jiff"), (POSTGIS, "postgis")] {
        if names(plan, module) {
            bowline_features.push(feature);
            bowline_features.sort_unstable();
        }
    }
    if !bowline_features.is_empty() {
        needs.push(Need {
            name: "bowline",
            version: env!("CARGO_PKG_VERSION"),
            default_features: true,
            features: bowline_features,
        });
    }
    let tables = plan.schemas.iter().flat_map(|schema| &schema.tables);
    let widest = tables.map(|table| table.columns.len()).max();
    match widest.unwrap_or_default() {
        0..=32 => {}
        33..=64 => diesel_features.push("64-column-tables"),
        _ => diesel_features.push("128-column-tables"),
    }
    needs.push(Need {
        name: "diesel",
        version: "2.3.14",
        default_features: false,
        features: diesel_features,
    });
    needs.sort_by_key(|need| need.name);
    needs
}

/// Returns true if the code names a type of this module, whose types it names in full.
fn names(plan: &Plan, module: &str) -> bool {
    let fields = plan.tables.iter().flat_map(|table| &table.fields);
    let attributes = plan.composites.iter().flat_map(|found| &found.attributes);
    let rows = plan.queries.iter().flat_map(|file| &file.rows);
    let functions = plan.queries.iter().flat_map(|file| &file.functions);
    let of_tables = fields.map(|field| &field.rust_type.owned);
    let of_types = attributes.map(|attribute| &attribute.rust_type.owned);
    let of_rows = rows
        .flat_map(|row| &row.fields)
        .map(|field| &field.rust_type);
    let of_arguments = functions
        .flat_map(|function| &function.arguments)
        .map(|argument| &argument.rust_type);
    let mut all = of_tables.chain(of_types).chain(of_rows).chain(of_arguments);
    all.any(|rust_type| rust_type.contains(module))
}
