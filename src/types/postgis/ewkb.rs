//! A geometry of any kind, as PostGIS sends it.
//!
//! The crate `postgis_diesel` has no curves and no triangles, and takes one for another kind: the
//! lowest three bits of the kind decide. So what it reads here is written again and compared.

use std::borrow::Cow;
use std::fmt;
use std::io::Write as _;
use std::num::NonZeroU32;
use std::str::FromStr;

use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::pg::{
    FailedToLookupTypeError, Pg, PgMetadataCacheKey, PgMetadataLookup, PgTypeMetadata, PgValue,
};
use diesel::query_builder::BindCollector as _;
use diesel::query_builder::bind_collector::RawBytesBindCollector;
use diesel::serialize::{self, IsNull, Output, ToSql};
use postgis_diesel::sql_types::{Geography, Geometry};
use postgis_diesel::types::{
    GeometryCollection, GeometryContainer, LineString, MultiLineString, MultiPoint, MultiPolygon,
    Point, PointM, PointT, PointZ, PointZM, Polygon,
};
use serde::{Deserialize, Serialize};

/// A geometry or geography of any kind, as bytes in the extended well-known binary form.
///
/// It holds what the server sent, curves and triangles too. [`Ewkb::read`] gives the points of
/// those kinds that `postgis_diesel` has, and each of these is converted: `Ewkb::from(point)`. As
/// text and in JSON it is in hexadecimal, as PostGIS writes it. Two are equal if their bytes are.
#[derive(Clone, PartialEq, Eq, Hash, AsExpression, FromSqlRow, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[diesel(sql_type = Geometry)]
#[diesel(sql_type = Geography)]
pub struct Ewkb(Vec<u8>);

/// Why a geometry could not be read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotRead(String);

impl Ewkb {
    /// Returns a geometry of one kind as bytes.
    ///
    /// # Errors
    /// Those of the type's `ToSql`; the types of `postgis_diesel` have none.
    pub fn new<T: ToSql<Geometry, Pg>>(geometry: &T) -> Result<Self, NotRead> {
        let mut collector = RawBytesBindCollector::<Pg>::new();
        collector
            .push_bound_value::<Geometry, T>(geometry, &mut NoLookup)
            .map_err(|error| NotRead(error.to_string()))?;
        let bytes = collector.binds.pop().flatten();
        bytes
            .map(Self)
            .ok_or_else(|| NotRead("NULL is not a geometry".to_owned()))
    }

    /// Returns the geometry as one of the crate `postgis_diesel`:
    /// `ewkb.read::<GeometryContainer<AnyPoint>>()` for any kind, `ewkb.read::<Point>()` for one.
    ///
    /// # Errors
    /// If it is of another kind, or of one that the crate does not have: a curve, a surface, a
    /// triangle.
    pub fn read<T: FromSql<Geometry, Pg> + ToSql<Geometry, Pg>>(&self) -> Result<T, NotRead> {
        let value = PgValue::new(&self.0, &NonZeroU32::MIN);
        let read = T::from_sql(value).map_err(|error| NotRead(error.to_string()))?;
        let same = match self.0.first() {
            // What is written has the lowest byte first, as the servers of almost all machines do.
            Some(1) => Self::new(&read)? == *self,
            _ => matches!(self.0.get(4), Some(1..=6)),
        };
        if same {
            Ok(read)
        } else {
            let why = "the geometry is of a kind that the crate postgis_diesel does not have; \
                       let PostGIS convert it: ST_CurveToLine(..)";
            Err(NotRead(why.to_owned()))
        }
    }

    /// Returns the bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl From<Vec<u8>> for Ewkb {
    /// Takes bytes as they are, for example those of another crate; PostGIS checks them.
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

macro_rules! from_kinds {
    ($($Kind:ident$(<$P:ident>)?),*) => {
        $(impl$(<$P: PointT>)? From<$Kind$(<$P>)?> for Ewkb {
            fn from(geometry: $Kind$(<$P>)?) -> Self {
                // The types write themselves to a vector, which takes each byte.
                Self::new(&geometry).expect("a vector has room")
            }
        })*
    };
}

from_kinds! {
    Point, PointZ, PointM, PointZM, LineString<P>, Polygon<P>, MultiPoint<P>, MultiLineString<P>,
    MultiPolygon<P>, GeometryCollection<P>, GeometryContainer<P>
}

impl fmt::Display for Ewkb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02X}"))
    }
}

impl fmt::Debug for Ewkb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ewkb({self})")
    }
}

impl FromStr for Ewkb {
    type Err = NotRead;

    fn from_str(text: &str) -> Result<Self, NotRead> {
        let digits = text.as_bytes().chunks(2).map(|pair| {
            let pair = std::str::from_utf8(pair).ok().filter(|it| it.len() == 2)?;
            let is_digit = pair.bytes().all(|digit| digit.is_ascii_hexdigit());
            u8::from_str_radix(pair, 16).ok().filter(|_| is_digit)
        });
        let bytes: Option<Vec<u8>> = digits.collect();
        let why = "a geometry is a text of hexadecimal digits, two for each byte";
        bytes.map(Self).ok_or_else(|| NotRead(why.to_owned()))
    }
}

impl TryFrom<String> for Ewkb {
    type Error = NotRead;

    fn try_from(text: String) -> Result<Self, NotRead> {
        text.parse()
    }
}

impl From<Ewkb> for String {
    fn from(geometry: Ewkb) -> Self {
        geometry.to_string()
    }
}

/// Knows no type: a geometry does not name one.
struct NoLookup;

impl PgMetadataLookup for NoLookup {
    fn lookup_type(&mut self, name: &str, schema: Option<&str>) -> PgTypeMetadata {
        let key = PgMetadataCacheKey::new(schema.map(Cow::Borrowed), Cow::Borrowed(name));
        PgTypeMetadata::from_result(Err(FailedToLookupTypeError::new(key.into_owned())))
    }
}

macro_rules! as_bytes {
    ($($SqlType:ident),*) => {
        $(impl FromSql<$SqlType, Pg> for Ewkb {
            fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
                Ok(Self(value.as_bytes().to_vec()))
            }
        }

        impl ToSql<$SqlType, Pg> for Ewkb {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
                out.write_all(&self.0)?;
                Ok(IsNull::No)
            }
        })*
    };
}

as_bytes!(Geometry, Geography);
