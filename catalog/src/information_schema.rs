//! The domains of `information_schema`. A view that reads `information_schema` has columns of these
//! types.

use super::{DataType, Name};

/// The domains, each with its base type and the length of that type.
const DOMAINS: [(&str, &str, Option<i32>); 5] = [
    ("cardinal_number", "int4", None),
    ("character_data", "varchar", None),
    ("sql_identifier", "name", None),
    ("time_stamp", "timestamptz", Some(2)),
    ("yes_or_no", "varchar", Some(3)),
];

/// Returns the base type of one of these domains.
pub fn base(domain: &Name) -> Option<DataType> {
    if domain.schema != "information_schema" {
        return None;
    }
    let found = DOMAINS.iter().find(|(name, ..)| *name == domain.name);
    found.map(|(_, base, modifier)| DataType {
        name: Name {
            schema: "pg_catalog".to_owned(),
            name: (*base).to_owned(),
        },
        modifiers: modifier.iter().copied().collect(),
        fields: None,
        dimensions: 0,
    })
}
