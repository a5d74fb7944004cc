//! The modifiers of PostGIS's types: a kind of geometry and a reference system, in words that
//! PostgreSQL does not know. `format_type` writes them in one way for all of those.

/// The kinds of geometry, as PostGIS writes them.
const KINDS: [&str; 16] = [
    "Geometry",
    "Point",
    "LineString",
    "Polygon",
    "MultiPoint",
    "MultiLineString",
    "MultiPolygon",
    "GeometryCollection",
    "CircularString",
    "CompoundCurve",
    "CurvePolygon",
    "MultiCurve",
    "MultiSurface",
    "PolyhedralSurface",
    "Triangle",
    "Tin",
];

/// Returns the kind and the reference system of `geometry(pointz, 4326)`: `PointZ`, `[4326]`.
///
/// `number` is the reference system as it is written. A `geography` without one has 4326, and a
/// `geometry(geometry)` without one is a `geometry`.
pub(crate) fn modifiers(
    type_name: &str,
    word: &str,
    number: Option<i32>,
) -> Option<(Option<String>, Vec<i32>)> {
    let word = word.trim_matches(['\'', '"']);
    let kind = KINDS
        .into_iter()
        .flat_map(|kind| ["", "Z", "M", "ZM"].map(|suffix| format!("{kind}{suffix}")))
        .find(|kind| kind.eq_ignore_ascii_case(word))?;
    let system = number.filter(|number| *number > 0);
    Some(match (type_name, system) {
        ("geography", system) => (Some(kind), vec![system.unwrap_or(4326)]),
        ("geometry", None) if kind == "Geometry" => (None, Vec::new()),
        ("geometry", system) => (Some(kind), system.into_iter().collect()),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modifiers_are_those_that_postgis_writes() {
        for (name, word, number, expected) in [
            ("geometry", "Point", None, (Some("Point"), vec![])),
            (
                "geometry",
                "pointz",
                Some(4326),
                (Some("PointZ"), vec![4326]),
            ),
            ("geometry", "GEOMETRY", None, (None, vec![])),
            (
                "geometry",
                "geometry",
                Some(3857),
                (Some("Geometry"), vec![3857]),
            ),
            ("geometry", "'pointm'", Some(0), (Some("PointM"), vec![])),
            (
                "geometry",
                "\"linestringzm\"",
                Some(1),
                (Some("LineStringZM"), vec![1]),
            ),
            ("geometry", "Point", Some(-1), (Some("Point"), vec![])),
            ("geography", "point", None, (Some("Point"), vec![4326])),
            (
                "geography",
                "geometryZ",
                Some(4267),
                (Some("GeometryZ"), vec![4267]),
            ),
        ] {
            let (kind, numbers) = expected;
            let expected = Some((kind.map(str::to_owned), numbers));
            assert_eq!(modifiers(name, word, number), expected, "{name}({word})");
        }
        assert_eq!(modifiers("geometry", "Square", None), None);
        assert_eq!(modifiers("varchar", "Point", None), None);
    }
}
