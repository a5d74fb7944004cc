//! The Rust type of each SQL type, for tables, query files and `query!` alike.
//!
//! A type for which Rust has no counterpart is read and written as text: PostgreSQL casts each type
//! to text and back.

mod domain;

use std::collections::{BTreeMap, BTreeSet};

use bowline_catalog::{Catalog, DataType, Name, TypeKind, information_schema};

use super::built_in::{BuiltIn, built_in, multirange, range, vector};
use super::geometry::geometry;
use super::names::{derivable_name, distinct, own_type_name};
use super::rust_type::{Mapped, RustType, SqlType, Wire};
use super::schema::SchemaPlan;
use crate::project::{Crates, GeometryCrate, Settings, VectorCrate, is_named, of_name};

/// The module of the types that no `schema.rs` has.
pub(super) const TYPES: &str = "super::types";

/// The decisions on types for one project.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Mapping {
    /// The crates whose types columns have.
    crates: Crates,
    /// The Rust types that settings name.
    given: BTreeMap<String, String>,
    /// The domains that have a Rust type of their own.
    newtypes: BTreeSet<Name>,
    /// The Rust names of enums, of composite types and of those domains.
    names: BTreeMap<Name, String>,
    /// The marker types of each SQL type: the path of the module, and the name.
    markers: BTreeMap<Name, Vec<(String, String)>>,
    /// The types whose Rust types are generated; `None` before that is decided.
    generated: Option<BTreeSet<Name>>,
}

/// The setting that reads a type as text.
const AS_TEXT: &str = "String";

/// A type that is not an array.
struct Scalar {
    rust_type: RustType,
    sql_type: SqlType,
    is_text: bool,
}

impl Mapping {
    pub(super) fn new(catalog: &Catalog, schemas: &[SchemaPlan], settings: &Settings) -> Self {
        let mut names = BTreeMap::new();
        let mut newtypes = BTreeSet::new();
        let mut with_markers: BTreeSet<Name> = BTreeSet::new();
        for (name, found) in &catalog.types {
            let kind = match &found.kind {
                TypeKind::Enum { .. } => "Enum",
                TypeKind::Composite { .. } => "Composite",
                kind @ TypeKind::Range { .. } => {
                    with_markers.insert(multirange_of(name, kind));
                    with_markers.insert(name.clone());
                    continue;
                }
                TypeKind::Domain { .. } if settings.has_newtype(name) => {
                    newtypes.insert(name.clone());
                    "Domain"
                }
                TypeKind::Domain { .. } | TypeKind::External => continue,
            };
            let given = of_name(&settings.names, name).cloned();
            let rust_name = given.unwrap_or_else(|| own_type_name(&name.name, kind));
            names.insert(name.clone(), rust_name);
            if !newtypes.contains(name) {
                with_markers.insert(name.clone());
            }
        }
        apart(&mut names, settings);
        with_markers.extend(given(catalog, settings));
        let mut markers: BTreeMap<Name, Vec<(String, String)>> = BTreeMap::new();
        let mut without: Vec<Name> = Vec::new();
        for name in with_markers {
            let modules = schemas.iter().filter_map(|schema| {
                let mut custom = schema.custom_types.iter();
                let marker = custom.find(|custom| custom.marks(&name))?;
                Some((schema.path.clone()?, marker.rust_name.clone()))
            });
            let modules: Vec<_> = modules.collect();
            if modules.is_empty() {
                without.push(name);
            } else {
                markers.insert(name, modules);
            }
        }
        let own = distinct(without.iter().map(|name| derivable_name(&name.name)));
        for (name, own) in without.into_iter().zip(own) {
            markers.insert(name, vec![(TYPES.to_owned(), own)]);
        }
        Self {
            crates: settings.crates,
            given: settings.types.clone(),
            newtypes,
            names,
            markers,
            generated: None,
        }
    }

    /// Limits the types with generated Rust types to these. All others are read as text.
    pub(super) fn set_generated(&mut self, names: BTreeSet<Name>) {
        self.generated = Some(names);
    }

    /// Returns the types whose Rust types settings name, other than text.
    pub(super) fn given(&self) -> impl Iterator<Item = &Name> {
        let names = self.markers.keys();
        names.filter(|name| of_name(&self.given, name).is_some_and(|given| given != AS_TEXT))
    }

    /// Returns true if a setting asks for text.
    pub(super) fn is_text_by_setting(&self, name: &Name) -> bool {
        of_name(&self.given, name).is_some_and(|given| given == AS_TEXT)
    }

    /// Returns the marker types of a type.
    pub(super) fn markers(&self, name: &Name) -> &[(String, String)] {
        self.markers.get(name).map_or(&[], Vec::as_slice)
    }

    /// Returns the Rust name of an enum or a composite type.
    pub(super) fn rust_name(&self, name: &Name) -> Option<&String> {
        self.names.get(name)
    }

    /// Returns the counterpart of a type under its domains.
    fn of_base(&self, catalog: &Catalog, data_type: &DataType, is_whole: bool) -> Option<Mapped> {
        let base = base(catalog, data_type);
        let cast = |dimensions: u8| cast(&base.name, dimensions);
        let text = |read: &str, write: String, dimensions: usize| {
            as_text(&base.name, read, &write, dimensions == 1, is_whole)
        };
        if base.dimensions == 0 {
            let scalar = self.scalar(catalog, &base)?;
            if scalar.is_text {
                return Some(text("text", cast(0), 0));
            }
            let kind = catalog.types.get(&base.name).map(|found| &found.kind);
            let is_composite = matches!(kind, Some(TypeKind::Composite { .. }));
            return Some(Mapped {
                rust_type: scalar.rust_type,
                wire: Wire {
                    // PostgreSQL compares rows of any type, and would take it for a `record`.
                    write: is_composite.then(|| cast(0)),
                    ..Wire::of(scalar.sql_type)
                },
                base: base.name.clone(),
                is_text: false,
            });
        }
        let element = DataType {
            name: base.name.clone(),
            modifiers: Vec::new(),
            fields: base.fields.clone(),
            dimensions: 0,
        };
        let of_element = self::base(catalog, &element);
        let scalar = self.scalar(catalog, &of_element)?;
        // An array of more dimensions, or an array whose elements are arrays by a domain.
        if base.dimensions > 1 || of_element.dimensions > 0 {
            return Some(text("text", cast(1), 0));
        }
        if scalar.is_text {
            return Some(text("text[]", cast(1), 1));
        }
        let mut wire = Wire::of(array(scalar.sql_type, is_whole));
        if of_element.name != base.name {
            let plain = DataType {
                modifiers: Vec::new(),
                fields: None,
                dimensions: 1,
                name: of_element.name.clone(),
            };
            wire.read = Some(type_sql(&plain));
            wire.write = Some(format!("{}::{}", type_sql(&plain), cast(1)));
        }
        Some(Mapped {
            rust_type: list(scalar.rust_type, is_whole),
            wire,
            base: base.name.clone(),
            is_text: false,
        })
    }

    /// Returns the counterpart of a type that is neither an array nor a domain.
    fn scalar(&self, catalog: &Catalog, data_type: &DataType) -> Option<Scalar> {
        let DataType { name, fields, .. } = data_type;
        let known = |sql_type: SqlType, rust_type: RustType| {
            Some(Scalar {
                rust_type,
                sql_type,
                is_text: false,
            })
        };
        let text = || {
            Some(Scalar {
                rust_type: RustType::text(),
                sql_type: SqlType::diesel("Text"),
                is_text: true,
            })
        };
        let marker = || {
            let (module, marker) = self.markers(name).first()?;
            Some(SqlType::marker(module, marker))
        };
        if let Some(given) = of_name(&self.given, name) {
            if given == AS_TEXT {
                return text();
            }
            let sql_type = match self.built_in(name) {
                Some(BuiltIn::Known(sql_type, _)) => Some(SqlType::diesel(sql_type)),
                _ if name.name == "citext" => Some(SqlType::diesel("Citext")),
                _ => marker(),
            };
            let rust_type = RustType::cloned(given, None).unhashed();
            return match sql_type {
                Some(sql_type) => known(sql_type, rust_type),
                None => text(),
            };
        }
        match catalog.types.get(name).map(|found| &found.kind) {
            Some(TypeKind::Enum { labels }) => {
                if labels.is_empty() || !self.is_generated(name) {
                    return text();
                }
                let rust_name = self.names.get(name)?;
                let rust_type = RustType {
                    of_types: vec![rust_name.clone()],
                    of_sql: vec![name.clone()],
                    ..RustType::copied(rust_name, None)
                };
                known(marker()?, rust_type)
            }
            Some(kind @ TypeKind::Composite { .. }) => {
                if !self.is_generated(name) || !self.has_attributes(catalog, kind) {
                    return text();
                }
                let rust_name = self.names.get(name)?;
                let rust_type = RustType {
                    of_types: vec![rust_name.clone()],
                    of_sql: vec![name.clone()],
                    ..RustType::cloned(rust_name, None).unhashed()
                };
                known(marker()?, rust_type)
            }
            Some(TypeKind::Range { subtype, .. }) => match self.bound(catalog, subtype) {
                Some((bound, _)) if self.is_generated(name) => {
                    let rust_type = RustType {
                        of_sql: vec![name.clone()],
                        ..range(bound).never_nullable()
                    };
                    known(marker()?, rust_type)
                }
                _ => text(),
            },
            Some(TypeKind::External) if name.name == "citext" => {
                known(SqlType::diesel("Citext"), RustType::text())
            }
            Some(TypeKind::External) => {
                let vectors = self.crates.vector == VectorCrate::Pgvector;
                let geometries = self.crates.geometry == GeometryCrate::PostgisDiesel;
                let vector = vectors.then(|| vector(&name.name)).flatten();
                let found = vector.or_else(|| {
                    let found = geometries.then(|| geometry(&name.name, fields.as_deref()));
                    found.flatten()
                });
                match found {
                    Some((sql_type, rust_type)) => known(SqlType::diesel(sql_type), rust_type),
                    None => text(),
                }
            }
            Some(_) => text(),
            None => match self.built_in(name) {
                Some(BuiltIn::Known(sql_type, rust_type)) => {
                    known(SqlType::diesel(sql_type), rust_type)
                }
                Some(BuiltIn::Pseudo) => None,
                Some(BuiltIn::Text) => text(),
                None => self.multirange(catalog, name).or_else(text),
            },
        }
    }

    /// Returns the counterpart of a multirange that was created with a range type.
    fn multirange(&self, catalog: &Catalog, name: &Name) -> Option<Scalar> {
        let (of, subtype) = range_of(catalog, name)?;
        let (bound, _) = self.bound(catalog, subtype)?;
        if !self.is_generated(of) {
            return None;
        }
        let (module, marker) = self.markers(name).first()?;
        Some(Scalar {
            rust_type: RustType {
                of_sql: vec![of.clone()],
                ..multirange(bound)
            },
            sql_type: SqlType::marker(module, marker),
            is_text: false,
        })
    }

    /// Returns the Rust type of a range's bounds. It has a default, which stands for the bounds of
    /// an empty range.
    pub(super) fn bound(
        &self,
        catalog: &Catalog,
        subtype: &DataType,
    ) -> Option<(RustType, SqlType)> {
        const WITH_DEFAULT: [&str; 18] = [
            "BigDecimal",
            "DateTime<Utc>",
            "NaiveDate",
            "NaiveDateTime",
            "NaiveTime",
            "Decimal",
            "String",
            "Uuid",
            "::bowline::types::jiff::Date",
            "::bowline::types::jiff::DateTime",
            "::bowline::types::jiff::Time",
            "::bowline::types::jiff::Timestamp",
            "bool",
            "f32",
            "f64",
            "i16",
            "i32",
            "i64",
        ];
        let base = base(catalog, subtype);
        if base.dimensions > 0 || base.name != subtype.name {
            return None;
        }
        let scalar = self.scalar(catalog, &base)?;
        let has_default = WITH_DEFAULT.contains(&scalar.rust_type.owned.as_str());
        (has_default && !scalar.is_text).then_some((scalar.rust_type, scalar.sql_type))
    }

    fn built_in(&self, name: &Name) -> Option<BuiltIn> {
        (name.schema == "pg_catalog").then(|| built_in(&name.name, self.crates))
    }

    fn is_generated(&self, name: &Name) -> bool {
        let generated = self.generated.as_ref();
        generated.is_none_or(|generated| generated.contains(name))
    }

    /// Returns true if each attribute of a composite type has a counterpart other than text: its
    /// values are within those of the whole, where nothing can be cast.
    fn has_attributes(&self, catalog: &Catalog, kind: &TypeKind) -> bool {
        let TypeKind::Composite { attributes } = kind else {
            return false;
        };
        !attributes.is_empty()
            && attributes.iter().all(|attribute| {
                let mapped = self.of(catalog, &attribute.data_type, false);
                mapped.is_some_and(|mapped| mapped.wire.read.is_none())
            })
    }
}

/// Puts the schema before the name of a type outside of `public` that another type has too, unless
/// a setting names it.
fn apart(names: &mut BTreeMap<Name, String>, settings: &Settings) {
    let all: Vec<String> = names.values().cloned().collect();
    for (name, rust_name) in names {
        let is_alone = all.iter().filter(|other| *other == rust_name).count() == 1;
        if !is_alone && name.schema != "public" && of_name(&settings.names, name).is_none() {
            *rust_name = own_type_name(&format!("{}_{}", name.schema, name.name), "Type");
        }
    }
}

/// Returns the types that the setting `types` names and that need a marker.
fn given(catalog: &Catalog, settings: &Settings) -> Vec<Name> {
    let names = settings.types.keys().filter_map(|key| {
        let mut known = catalog.types.keys();
        let own = known.find(|name| is_named(name, key));
        let of_postgresql = || Name {
            schema: "pg_catalog".to_owned(),
            name: key.clone(),
        };
        let name = own.cloned().unwrap_or_else(of_postgresql);
        let is_of_diesel = name.schema == "pg_catalog"
            && matches!(built_in(&name.name, settings.crates), BuiltIn::Known(..));
        (!is_of_diesel).then_some(name)
    });
    names.collect()
}

/// Returns the name of the multirange of a range type.
pub(super) fn multirange_of(range: &Name, kind: &TypeKind) -> Name {
    let multirange = match kind {
        TypeKind::Range { multirange, .. } => multirange.clone(),
        _ => range.name.clone(),
    };
    Name {
        schema: range.schema.clone(),
        name: multirange,
    }
}

/// Returns the range type that a multirange was created with, and the type of its bounds.
pub(super) fn range_of<'c>(
    catalog: &'c Catalog,
    multirange: &Name,
) -> Option<(&'c Name, &'c DataType)> {
    catalog
        .types
        .iter()
        .find_map(|(name, found)| match &found.kind {
            TypeKind::Range { subtype, .. } if multirange_of(name, &found.kind) == *multirange => {
                Some((name, subtype))
            }
            _ => None,
        })
}

/// Returns the base type under all domains. An array is returned unchanged.
pub(super) fn base(catalog: &Catalog, data_type: &DataType) -> DataType {
    let mut base = data_type.clone();
    // PostgreSQL has no circular domains.
    while base.dimensions == 0 {
        let of = match catalog.types.get(&base.name).map(|found| &found.kind) {
            Some(TypeKind::Domain { base, .. }) => Some(base.clone()),
            _ => information_schema::base(&base.name),
        };
        let Some(of) = of else {
            break;
        };
        base = of;
    }
    base
}

/// Returns a type as it is written in a cast. `bit` without quotes would be `bit(1)`.
fn type_sql(data_type: &DataType) -> String {
    let sql = data_type.sql();
    match (data_type.name.schema.as_str(), sql.strip_prefix("bit")) {
        ("pg_catalog", Some(rest)) if data_type.name.name == "bit" => format!("\"bit\"{rest}"),
        _ => sql,
    }
}

/// Returns the type that a parameter is cast to: one without modifiers.
fn cast(name: &Name, dimensions: u8) -> String {
    type_sql(&DataType {
        name: name.clone(),
        modifiers: Vec::new(),
        fields: None,
        dimensions,
    })
}

/// Returns the counterpart of a type that is read as `read`, and written as that and then cast to
/// `write`.
fn as_text(base: &Name, read: &str, write: &str, is_list: bool, is_whole: bool) -> Mapped {
    let (rust_type, sql_type) = if is_list {
        let elements = array(SqlType::diesel("Text"), is_whole);
        (list(RustType::text(), is_whole), elements)
    } else {
        (RustType::text(), SqlType::diesel("Text"))
    };
    Mapped {
        rust_type,
        wire: Wire {
            sql_type,
            read: Some(read.to_owned()),
            write: Some(format!("{read}::{write}")),
        },
        base: base.clone(),
        is_text: true,
    }
}

/// Returns the type of an array of these elements.
pub(super) fn list(element: RustType, is_whole: bool) -> RustType {
    element.within(
        |element| match is_whole {
            true => format!("Vec<{element}>"),
            false => format!("Vec<Option<{element}>>"),
        },
        None,
    )
}

fn array(element: SqlType, is_whole: bool) -> SqlType {
    if is_whole {
        element.array()
    } else {
        element.nullable().array()
    }
}
