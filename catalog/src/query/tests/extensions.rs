//! Queries over the types of extensions, with the types that a server's Describe gives.

use bowline_migrations::SqlFile;

use crate::query::Checker;
use crate::{Catalog, replay};

fn catalog(schema: &str) -> Catalog {
    let file = SqlFile {
        path: "1/up.sql".into(),
        text: schema.to_owned(),
    };
    let replayed = replay::replay([&file]);
    assert!(replayed.refusals.is_empty(), "{:?}", replayed.refusals);
    replayed.catalog
}

/// Compares the types of the parameters and columns of `SELECT {expression} FROM t`.
fn compare(schema: &str, expected: &[(&str, &str)]) {
    let catalog = catalog(schema);
    for (expression, expected) in expected {
        let sql = format!("SELECT {expression} FROM t");
        let query = Checker::new(&catalog).check(&sql);
        let query = query.unwrap_or_else(|fault| panic!("{sql}: {fault}"));
        let parameters = query.parameters.iter();
        let parameters = parameters.map(|it| it.data_type.format_type());
        let columns = query.columns.iter().map(|it| it.data_type.format_type());
        let parts: Vec<String> = parameters.chain(columns).collect();
        assert_eq!(parts.join(", "), *expected, "{sql}");
    }
}

#[test]
fn functions_of_postgis_have_their_types() {
    compare(
        "CREATE EXTENSION postgis; CREATE TABLE t (g geometry(Polygon, 4326), p geography(Point));",
        &[
            ("ST_Distance(p, $1)", "geography, double precision"),
            (
                "ST_DWithin(g, $1, $2)",
                "geometry, double precision, boolean",
            ),
            (
                "g && ST_MakeEnvelope($1, 1, 2, 3)",
                "double precision, boolean",
            ),
            ("p <-> $1", "geography, double precision"),
            ("ST_AsGeoJSON(g)::json", "json"),
            (
                "ST_SetSRID(ST_MakePoint(1, 2), 4326)::geography",
                "geography",
            ),
            ("p::geometry", "geometry"),
            ("(ST_Dump(g)).path", "integer[]"),
            ("(ST_Dump(g)).geom", "geometry"),
            ("ST_Extent(g)", "box2d"),
            ("coalesce(g, 'POINT(1 2)')", "geometry"),
        ],
    );
}

#[test]
fn functions_of_pgvector_have_their_types() {
    compare(
        "CREATE EXTENSION vector; CREATE TABLE t (e vector(3), b bit(3));",
        &[
            ("1 - (e <=> $1)", "vector, double precision"),
            ("avg(e)", "vector"),
            ("e::halfvec(3)", "halfvec"),
            ("ARRAY[1, 2, 3]::vector", "vector"),
            ("b <~> $1", "bit, double precision"),
        ],
    );
}

#[test]
fn composite_types_of_extensions_have_fields() {
    compare(
        "CREATE EXTENSION tablefunc; CREATE TABLE t (id int);",
        &[("(crosstab2('SELECT 1')).category_2", "text")],
    );
}

#[test]
fn the_kind_of_a_geometry_is_part_of_a_type() {
    let catalog = catalog(
        "CREATE EXTENSION postgis; CREATE TABLE t (a geometry(pointz, 4326), b geography(Polygon),
            c geometry(geometry), d geometry, e geometry(Point)[]);",
    );
    let columns = catalog.relations.values().flat_map(|it| &it.columns);
    let written: Vec<String> = columns.map(|it| it.data_type.sql()).collect();
    assert_eq!(
        written,
        [
            "geometry(PointZ, 4326)",
            "geography(Polygon, 4326)",
            "geometry",
            "geometry",
            "geometry(Point)[]"
        ]
    );
}
