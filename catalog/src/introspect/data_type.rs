//! Types of columns, arguments and results, from `pg_type` and the modifiers that `format_type`
//! writes.

use super::name;
use crate::DataType;

/// Returns a type. Schema and name are those of the type, or of an array's element.
/// `formatted` is the type as PostgreSQL writes it, if it has modifiers.
pub(super) fn data_type(
    schema: &str,
    type_name: &str,
    dimensions: i32,
    formatted: Option<&str>,
) -> DataType {
    DataType {
        name: name(schema, type_name),
        modifiers: formatted.map(modifiers).unwrap_or_default(),
        fields: formatted.and_then(|formatted| {
            interval_fields(formatted).or_else(|| geometry_kind(type_name, formatted))
        }),
        dimensions: u8::try_from(dimensions).unwrap_or(u8::MAX),
    }
}

/// Returns the numbers in the parentheses of `numeric(10,2)` or `timestamp(3) without time zone`.
fn modifiers(formatted: &str) -> Vec<i32> {
    let Some((_, rest)) = formatted.rsplit_once('(') else {
        return Vec::new();
    };
    let inside = rest.split(')').next().unwrap_or_default();
    inside
        .split(',')
        .filter_map(|number| number.trim().parse().ok())
        .collect()
}

/// Returns the fields of `interval day to second(3)`.
fn interval_fields(formatted: &str) -> Option<String> {
    let fields = formatted.strip_prefix("interval ")?;
    let fields = fields.trim_end_matches("[]");
    let fields = fields.split('(').next().unwrap_or_default();
    Some(fields.to_owned())
}

/// Returns the kind of `geometry(PointZ,4326)`.
fn geometry_kind(type_name: &str, formatted: &str) -> Option<String> {
    if !matches!(type_name, "geometry" | "geography") {
        return None;
    }
    let (_, rest) = formatted.rsplit_once('(')?;
    let kind = rest.split([',', ')']).next()?;
    Some(kind.to_owned())
}
