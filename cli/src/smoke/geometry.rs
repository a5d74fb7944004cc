//! Values of PostGIS's geometries. One without a reference system takes that of its column.

const MODULE: &str = "bowline::types::postgis";

/// Returns a value of a type of `bowline::types::postgis`, by its name and that of its points.
pub(super) fn value(name: &str, point: Option<&str>, round: usize) -> Option<String> {
    let of_point = |name: &str| {
        let more = match name {
            "PointZM" => "z: 2.0, m: 3.0, ",
            "PointZ" => "z: 2.0, ",
            "PointM" => "m: 2.0, ",
            _ => "",
        };
        format!("{MODULE}::{name} {{ x: {round}.5, y: 1.5, {more}srid: None }}")
    };
    let parts = match name {
        "Point" | "PointZ" | "PointM" | "PointZM" => return Some(of_point(name)),
        "Ewkb" => return Some(format!("{MODULE}::Ewkb::from({})", of_point("Point"))),
        "LineString" | "MultiPoint" => "points",
        "Polygon" => "rings",
        "MultiLineString" => "lines",
        "MultiPolygon" => "polygons",
        _ => return None,
    };
    // An empty one, which each of these types has.
    let point = point?;
    Some(format!(
        "{MODULE}::{name}::<{MODULE}::{point}> {{ {parts}: Vec::new(), srid: None }}"
    ))
}
