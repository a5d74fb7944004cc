//! The Rust types of PostGIS's geometries, by the kind that a column declares.
//!
//! PostGIS holds a column of one kind to it, so its values have one type. What else a column can
//! hold is one type for all kinds.

use super::rust_type::RustType;

/// The module of the types.
pub(super) const POSTGIS: &str = "::bowline::types::postgis::";

/// Returns the SQL type and the Rust type of `geometry(PointZ)`, by the name of the type and the
/// kind.
pub(super) fn geometry(type_name: &str, kind: Option<&str>) -> Option<(&'static str, RustType)> {
    let sql_type = match type_name {
        "geometry" => "bowline::types::postgis::sql_types::Geometry",
        "geography" => "bowline::types::postgis::sql_types::Geography",
        _ => return None,
    };
    let kind = kind.unwrap_or_default();
    let dimensions = ["ZM", "Z", "M"];
    let suffix = dimensions.into_iter().find(|it| kind.ends_with(it));
    let suffix = suffix.unwrap_or_default();
    let point = format!("{POSTGIS}Point{suffix}");
    let shape = kind.strip_suffix(suffix).unwrap_or(kind);
    let rust_type = match shape {
        "Point" => RustType::copied(&point, None),
        "LineString" | "Polygon" | "MultiPoint" | "MultiLineString" | "MultiPolygon" => {
            RustType::cloned(&format!("{POSTGIS}{shape}<{point}>"), None)
        }
        _ => return Some((sql_type, RustType::cloned(&format!("{POSTGIS}Ewkb"), None))),
    };
    Some((sql_type, rust_type.unhashed()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_of_one_kind_has_its_type() {
        for (kind, expected) in [
            (None, "Ewkb"),
            (Some("Geometry"), "Ewkb"),
            (Some("GeometryZ"), "Ewkb"),
            (Some("Point"), "Point"),
            (Some("PointM"), "PointM"),
            (
                Some("PolygonZM"),
                "Polygon<::bowline::types::postgis::PointZM>",
            ),
            (
                Some("MultiLineStringZ"),
                "MultiLineString<::bowline::types::postgis::PointZ>",
            ),
            // A collection can hold curves.
            (Some("GeometryCollection"), "Ewkb"),
            (Some("CircularString"), "Ewkb"),
            (Some("Tin"), "Ewkb"),
        ] {
            let found = geometry("geometry", kind).map(|(_, found)| found.owned);
            assert_eq!(found, Some(format!("{POSTGIS}{expected}")), "{kind:?}");
        }
        assert!(geometry("box2d", None).is_none());
    }
}
