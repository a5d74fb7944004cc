//! Geometries of PostGIS as bytes. Those on a server are in the package of tests/geometries.

use bowline::types::postgis::{
    AnyPoint, Ewkb, GeometryContainer, LineString, Point, PointZ, Polygon,
};

/// What PostGIS 3.3 sends for `SRID=4326;POINT(1 2)`.
const POINT: &str = "0101000020E6100000000000000000F03F0000000000000040";

fn ewkb(text: &str) -> Ewkb {
    text.parse().expect("hexadecimal digits")
}

#[test]
fn a_point_is_read_and_written_as_postgis_does() {
    let point = Point::new(1.0, 2.0, Some(4326));
    assert_eq!(ewkb(POINT).read(), Ok(point));
    assert_eq!(Ewkb::new(&point), Ok(ewkb(POINT)));
    assert_eq!(ewkb(POINT).to_string(), POINT);
    let any = ewkb(POINT).read::<GeometryContainer<AnyPoint>>();
    assert_eq!(any, Ok(GeometryContainer::Point(AnyPoint::Point(point))));
}

#[test]
fn what_is_of_another_kind_is_not_read() {
    assert!(ewkb(POINT).read::<PointZ>().is_err());
    assert!(ewkb(POINT).read::<LineString<Point>>().is_err());
    assert!(ewkb("").read::<Point>().is_err());
    assert!(ewkb(&POINT[..30]).read::<Point>().is_err());
}

#[test]
fn a_kind_that_the_crate_lacks_is_not_taken_for_another() {
    // What PostGIS 3.3 sends for curves and triangles, and for empty ones.
    for text in [
        // CIRCULARSTRING(0 0,1 1,2 0) and CIRCULARSTRING EMPTY
        "01080000000300000000000000000000000000000000000000000000000000F03F000000000000F03F\
         00000000000000400000000000000000",
        "010800000000000000",
        // CURVEPOLYGON EMPTY, MULTICURVE EMPTY, MULTISURFACE EMPTY
        "010A00000000000000",
        "010B00000000000000",
        "010C00000000000000",
        // TRIANGLE EMPTY and TIN EMPTY
        "011100000000000000",
        "011000000000000000",
        // GEOMETRYCOLLECTION(CIRCULARSTRING EMPTY)
        "010700000001000000010800000000000000",
    ] {
        let curve = ewkb(text);
        let read = curve.read::<GeometryContainer<AnyPoint>>();
        assert!(read.is_err(), "{text}: {read:?}");
        let read = curve.read::<Polygon<Point>>();
        assert!(read.is_err(), "{text}: {read:?}");
        let read = curve.read::<LineString<Point>>();
        assert!(read.is_err(), "{text}: {read:?}");
    }
}

#[test]
fn a_text_that_is_no_geometry_is_refused() {
    for text in ["0", "0g", "+1", "é", "POINT(1 2)"] {
        assert!(text.parse::<Ewkb>().is_err(), "{text}");
    }
    let json = serde_json::to_string(&ewkb(POINT)).expect("JSON");
    assert_eq!(json, format!("\"{POINT}\""));
    assert_eq!(serde_json::from_str::<Ewkb>(&json).ok(), Some(ewkb(POINT)));
}
