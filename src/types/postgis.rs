//! Geometries of PostGIS: the types of the crate `postgis_diesel`, and [`Ewkb`] for a column that
//! holds any of them.
//!
//! A value that is read has the reference system of its column: `srid: Some(4326)`. One that is
//! written without takes that of its column, and PostGIS refuses another (22023). In JSON a point
//! is `{"x": 1.5, "y": 2.5, "srid": 4326}`, and the others hold their points, unless a package of
//! the build turns on the feature `serde_geojson` of `postgis_diesel`: then it is GeoJSON. `POINT
//! EMPTY` has coordinates that are not a number, which JSON cannot hold.

mod ewkb;

pub use ewkb::{Ewkb, NotRead};
pub use postgis_diesel::types::{
    AnyPoint, GeometryCollection, GeometryContainer, LineString, MultiLineString, MultiPoint,
    MultiPolygon, Point, PointM, PointT, PointZ, PointZM, Polygon,
};
pub use postgis_diesel::{functions, functions_nullable, operators, sql_types};

use crate::statement::DefaultSqlType;

macro_rules! default_sql_type {
    ($($Name:ident$(<$P:ident>)?),*) => {
        $(impl$(<$P: PointT>)? DefaultSqlType for $Name$(<$P>)? {
            type SqlType = sql_types::Geometry;
        })*
    };
}

default_sql_type! {
    Ewkb, Point, PointZ, PointM, PointZM, LineString<P>, Polygon<P>, MultiPoint<P>,
    MultiLineString<P>, MultiPolygon<P>, GeometryCollection<P>, GeometryContainer<P>
}
