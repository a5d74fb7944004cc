//! Columns of PostGIS on a server that has it.

use bowline::types::postgis::{
    AnyPoint, Ewkb, GeometryContainer, LineString, MultiLineString, Point, PointZ, Polygon,
};
use bowline::{Database, Page, Result, query};
use geometries::db::queries::places;
use geometries::db::{Corner, NewCorner, NewPlace, Place, PlaceChanges, PlaceValues};

fn at(x: f64, y: f64) -> Point {
    Point::new(x, y, Some(4326))
}

fn place(name: &str, place: Point) -> PlaceValues<'_> {
    PlaceValues::from(NewPlace {
        name: name.into(),
        place,
    })
}

fn square(side: f64) -> Polygon<Point> {
    let corners = [
        (0.0, 0.0),
        (side, 0.0),
        (side, side),
        (0.0, side),
        (0.0, 0.0),
    ];
    Polygon {
        rings: vec![corners.map(|(x, y)| at(x, y)).to_vec()],
        srid: Some(4326),
    }
}

#[bowline::test]
fn a_place_comes_back_as_it_was_inserted(db: Database) -> Result<()> {
    let entrance = PointZ::new(7.5, 47.25, 260.0, Some(4326));
    let path = |x: f64| MultiLineString {
        lines: vec![LineString {
            points: vec![
                Point::new(x, 1.0, Some(3857)),
                Point::new(x, 2.0, Some(3857)),
            ],
            srid: Some(3857),
        }],
        srid: Some(3857),
    };
    let new = PlaceValues {
        entrance: Some(entrance),
        outline: Some(square(2.0)),
        paths: Some(vec![Some(path(1.0)), None, Some(path(2.0))]),
        anything: Some(at(1.0, 2.0).into()),
        ..place("station", at(7.5, 47.25))
    };
    let inserted = db.run(Place::insert(new.clone()))?;
    assert_eq!(inserted.place, new.place);
    assert_eq!(inserted.entrance, Some(entrance));
    assert_eq!(inserted.outline, new.outline);
    assert_eq!(inserted.paths, new.paths);
    assert_eq!(inserted.anything, new.anything);
    assert_eq!(db.run(Place::get(inserted.id))?, inserted);
    let many = db.run(Place::insert_many(vec![
        new.clone(),
        place("field", at(8.0, 47.0)),
    ]))?;
    assert_eq!(many[0].paths, new.paths);
    assert_eq!(many[1].entrance, None);
    let changes = PlaceChanges {
        outline: Some(Some(square(3.0))),
        entrance: Some(None),
        ..PlaceChanges::default()
    };
    let changed = db.run(Place::update(inserted.id, changes))?;
    assert_eq!(
        (changed.outline, changed.entrance),
        (Some(square(3.0)), None)
    );
    let listed = db.run(Place::list(Page::first(10)))?;
    assert_eq!(listed.len(), 3);
    Ok(())
}

#[bowline::test]
fn queries_find_what_is_near(db: Database) -> Result<()> {
    let near = db.run(Place::insert(place("near", at(7.5, 47.5))))?;
    let far = db.run(Place::insert(place("far", at(7.6, 47.5))))?;
    let center = at(7.5, 47.5).into();
    let found = db.run(places::within(&center, 1000.0))?;
    assert_eq!(found.iter().map(|it| it.id).collect::<Vec<_>>(), [near.id]);
    let found = db.run(places::within(&center, 10_000.0))?;
    assert_eq!(
        found.iter().map(|it| it.id).collect::<Vec<_>>(),
        [near.id, far.id]
    );
    assert_eq!((found[0].metres, found[0].place), (Some(0.0), near.place));
    let moved = PointZ::new(7.0, 47.0, 1.0, Some(4326));
    assert_eq!(db.run(places::move_to(at(7.0, 47.0), moved, far.id))?, 1);
    let outline = Some(square(2.0));
    let changes = PlaceChanges {
        outline: Some(outline.clone()),
        ..PlaceChanges::default()
    };
    db.run(Place::update(far.id, changes))?;
    let row = db.run(places::outline_of(far.id))?.expect("the row");
    assert_eq!((row.outline, row.area), (outline, Some(4.0)));
    let middle = row.middle.expect("a middle").read::<Point>();
    assert_eq!(middle, Ok(at(1.0, 1.0)));
    let corners = db.run(places::corners_of(far.id))?;
    assert_eq!(corners.len(), 5);
    assert_eq!((corners[1].x, corners[1].y), (Some(2.0), Some(0.0)));
    let extent = db.run(places::extent(-1.0, -1.0, 1.0, 1.0))?;
    assert_eq!(extent.places, 1);
    let systems = db.run(places::systems())?;
    let entrance = systems
        .iter()
        .find(|it| it.f_geometry_column.as_deref() == Some("entrance"));
    assert_eq!(entrance.and_then(|it| it.srid), Some(4326));
    let wanted = Ewkb::from(near.place);
    let name = db.run(query!("SELECT name FROM places WHERE place && $1", &wanted).one())?;
    assert_eq!(name.name, "near");
    Ok(())
}

#[bowline::test]
fn a_geometry_of_any_kind_is_held(db: Database) -> Result<()> {
    let id = db.run(Place::insert(place("any", at(0.0, 0.0))))?.id;
    for text in [
        "SRID=4326;POINT(1 2)",
        "POINT EMPTY",
        "POLYGON EMPTY",
        "LINESTRING(1 2 3 4,5 6 7 8)",
        "MULTIPOLYGON(((0 0,1 0,1 1,0 0)),((5 5,6 5,6 6,5 5)))",
        "GEOMETRYCOLLECTION(POINT(1 2),LINESTRING(1 2,3 4))",
        "CIRCULARSTRING(0 0,1 1,2 0)",
        "COMPOUNDCURVE((0 0,1 1),(1 1,2 2))",
        "CURVEPOLYGON EMPTY",
        "MULTICURVE EMPTY",
        "TRIANGLE((0 0,1 0,1 1,0 0))",
        "TIN EMPTY",
        "POLYHEDRALSURFACE EMPTY",
        "GEOMETRYCOLLECTION(CIRCULARSTRING(0 0,1 1,2 0))",
    ] {
        let sql = query!(
            "UPDATE places SET anything = ST_GeomFromEWKT($1) WHERE id = $2",
            text,
            id
        );
        assert_eq!(db.run(sql.affected())?, 1);
        let held = db.run(Place::get(id))?.anything.expect("a geometry");
        let back = PlaceChanges {
            anything: Some(Some(held.clone())),
            ..PlaceChanges::default()
        };
        db.run(Place::update(id, back))?;
        let same = query!(
            "SELECT ST_AsEWKT(anything) AS text FROM places WHERE id = $1",
            id
        );
        let same = db.run(same.one())?.text.expect("a text");
        assert_eq!(same.replace(", ", ","), text.replace(", ", ","), "{text}");
        let read = held.read::<GeometryContainer<AnyPoint>>();
        let of_the_crate = [
            "POINT",
            "POLYGON",
            "LINESTRING",
            "MULTIPOLYGON",
            "GEOMETRYCOLLECTION(P",
        ];
        let kind = text.trim_start_matches("SRID=4326;");
        let is_known = of_the_crate.iter().any(|known| kind.starts_with(known));
        assert_eq!(read.is_ok(), is_known, "{text}: {read:?}");
    }
    Ok(())
}

#[bowline::test]
fn a_geometry_can_be_a_key(db: Database) -> Result<()> {
    let corner = |x: f64| Point::new(x, 1.0, None);
    for x in [1.0, 2.0, 3.0] {
        let note = format!("{x}");
        let new = NewCorner {
            at: corner(x),
            note: note.into(),
        };
        db.run(Corner::insert(new))?;
    }
    assert_eq!(db.run(Corner::get(corner(2.0)))?.note, "2");
    let first = db.run(Corner::list(Page::first(2)))?;
    let rest = db.run(Corner::list(Page::after(first[1].at, 2)))?;
    let mut all: Vec<_> = first
        .iter()
        .chain(&rest)
        .map(|it| it.note.clone())
        .collect();
    all.sort();
    assert_eq!(all, ["1", "2", "3"]);
    Ok(())
}

#[bowline::test]
fn a_point_of_another_system_is_refused(db: Database) -> Result<()> {
    let new = PlaceValues {
        entrance: Some(PointZ::new(1.0, 2.0, 3.0, Some(3857))),
        ..place("nowhere", at(0.0, 0.0))
    };
    let error = db
        .run(Place::insert(new))
        .expect_err("the column has a system");
    assert_eq!(
        error.sqlstate().map(|it| it.code().to_owned()).as_deref(),
        Some("22023")
    );
    Ok(())
}

#[test]
fn a_point_in_json_has_its_system() {
    let json = serde_json::to_string(&at(1.5, 2.5)).expect("JSON");
    assert_eq!(json, r#"{"x":1.5,"y":2.5,"srid":4326}"#);
    assert_eq!(
        serde_json::from_str::<Point>(&json).ok(),
        Some(at(1.5, 2.5))
    );
}
