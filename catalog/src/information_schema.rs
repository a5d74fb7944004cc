//! The domains of `information_schema`, which columns of views have when they show what it shows.

use super::{DataType, Name};

/// Each with the type beneath it, and how long that is.
const DOMAINS: [(&str, &str, Option<i32>); 5] = [
    ("cardinal_number", "int4", None),
    ("character_data", "varchar", None),
    ("sql_identifier", "name", None),
    ("time_stamp", "timestamptz", Some(2)),
    ("yes_or_no", "varchar", Some(3)),
];

/// The type beneath one of these domains.
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
