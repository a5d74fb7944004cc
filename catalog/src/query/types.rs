//! The types of one query's values, each with a small number instead of its name.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::replay::builtin;
use crate::{Catalog, DataType, Name, TypeKind};

/// A type in the list of [`Types`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct TypeId(u32);

macro_rules! known {
    ($($constant:ident $name:literal,)*) => {
        known!(@ 0; $($constant)*);
        const KNOWN: &[&str] = &[$($name),*];
    };
    (@ $at:expr; $constant:ident $($rest:ident)*) => {
        pub(super) const $constant: TypeId = TypeId($at);
        known!(@ $at + 1; $($rest)*);
    };
    (@ $at:expr;) => {};
}

known! {
    UNKNOWN "unknown",
    ANY "any",
    ANY_ELEMENT "anyelement",
    ANY_ARRAY "anyarray",
    ANY_NON_ARRAY "anynonarray",
    ANY_ENUM "anyenum",
    ANY_RANGE "anyrange",
    ANY_MULTIRANGE "anymultirange",
    COMPATIBLE "anycompatible",
    COMPATIBLE_ARRAY "anycompatiblearray",
    COMPATIBLE_NON_ARRAY "anycompatiblenonarray",
    COMPATIBLE_RANGE "anycompatiblerange",
    COMPATIBLE_MULTIRANGE "anycompatiblemultirange",
    RECORD "record",
    VOID "void",
    BOOL "bool",
    INT4 "int4",
    INT8 "int8",
    NUMERIC "numeric",
    FLOAT8 "float8",
    TEXT "text",
    VARCHAR "varchar",
    BPCHAR "bpchar",
    NAME "name",
    OID "oid",
    DATE "date",
    TIME "time",
    TIMETZ "timetz",
    TIMESTAMP "timestamp",
    TIMESTAMPTZ "timestamptz",
    BIT "bit",
    JSON "json",
    JSONB "jsonb",
    XML "xml",
    TID "tid",
    XID "xid",
    CID "cid",
    INT2 "int2",
}

/// The schema of the built-in types.
const SYSTEM: &str = "pg_catalog";

/// The kind of the type, with the types that it consists of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Base,
    Array {
        element: TypeId,
    },
    Domain {
        base: TypeId,
    },
    Enum,
    /// A composite type, or the row type of a relation.
    Composite,
    Range {
        subtype: TypeId,
    },
    Multirange {
        range: TypeId,
    },
    Pseudo,
}

/// The types of [`KNOWN`], which are the first of every list.
static KNOWN_INFOS: LazyLock<Vec<Info>> = LazyLock::new(|| {
    let infos = KNOWN.iter().map(|name| {
        let found = builtin::find_type(name);
        let category = found.as_ref().map_or('U', |found| found.category);
        Info {
            name: system_name(name),
            kind: kind_of_category(category),
            category,
            is_preferred: found.is_some_and(|found| found.is_preferred),
            bare: Some((*name).to_owned()),
        }
    });
    infos.collect()
});

fn system_name(bare: &str) -> Name {
    Name {
        schema: SYSTEM.to_owned(),
        name: bare.to_owned(),
    }
}

/// Returns the kind of a type that is made of no other.
fn kind_of_category(category: char) -> Kind {
    match category {
        'P' | 'X' => Kind::Pseudo,
        'C' => Kind::Composite,
        _ => Kind::Base,
    }
}

#[derive(Debug)]
struct Info {
    name: Name,
    kind: Kind,
    category: char,
    is_preferred: bool,
    /// The name in the lists of built-in objects, for a built-in type or one of an extension.
    bare: Option<String>,
}

/// All types that a query has met so far.
pub(super) struct Types<'a> {
    catalog: &'a Catalog,
    /// True if the domains of `information_schema` are types of their own. A server describes them
    /// by their base types, but a view's column has the domain.
    pub(super) has_system_domains: bool,
    /// The types after those of [`KNOWN`].
    infos: Vec<Info>,
    by_name: HashMap<Name, TypeId>,
    /// The types whose definitions are read at the moment.
    open: Vec<Name>,
    /// The array types, by the types of their elements.
    arrays: HashMap<TypeId, TypeId>,
}

impl<'a> Types<'a> {
    pub(super) fn new(catalog: &'a Catalog) -> Self {
        Self {
            catalog,
            has_system_domains: false,
            infos: Vec::new(),
            by_name: HashMap::new(),
            open: Vec::new(),
            arrays: HashMap::new(),
        }
    }

    /// Returns a type of the lists of built-in objects: `int4`, `text[]`, `citext`.
    pub(super) fn built_in(&mut self, written: &str) -> TypeId {
        if let Some(element) = written.strip_suffix("[]") {
            let element = self.built_in(element);
            return self.array_of(element);
        }
        if let Some(known) = known(written) {
            return known;
        }
        if let Some((schema, name)) = written.split_once('.') {
            return self.of_name(&Name {
                schema: schema.to_owned(),
                name: name.to_owned(),
            });
        }
        let name = self.stored_name(written);
        match self.by_name.get(&name) {
            Some(found) => *found,
            None => self.add_built_in(written),
        }
    }

    /// Returns the full name of a built-in type, or of a type of an extension.
    fn stored_name(&self, bare: &str) -> Name {
        let mut own = self.catalog.types.values();
        let external = own.find(|it| it.kind == TypeKind::External && it.name.name == bare);
        external.map_or_else(|| system_name(bare), |found| found.name.clone())
    }

    fn add_built_in(&mut self, bare: &str) -> TypeId {
        let found = builtin::find_type(bare);
        let category = found.as_ref().map_or('U', |found| found.category);
        let is_preferred = found.as_ref().is_some_and(|found| found.is_preferred);
        let name = self.stored_name(bare);
        let plain = kind_of_category(category);
        let id = self.add(name, plain, category, is_preferred, Some(bare));
        let kind = match found.and_then(|found| found.subtype) {
            Some(_) if bare.contains("multirange") => Kind::Multirange {
                range: self.built_in(&bare.replace("multirange", "range")),
            },
            Some(subtype) => Kind::Range {
                subtype: self.built_in(subtype),
            },
            None => kind_of_category(category),
        };
        let at = id.0 as usize - KNOWN.len();
        self.infos[at].kind = kind;
        id
    }

    fn add(
        &mut self,
        name: Name,
        kind: Kind,
        category: char,
        is_preferred: bool,
        bare: Option<&str>,
    ) -> TypeId {
        let id = self.next_id();
        self.by_name.insert(name.clone(), id);
        self.infos.push(Info {
            name,
            kind,
            category,
            is_preferred,
            bare: bare.map(str::to_owned),
        });
        id
    }

    fn next_id(&self) -> TypeId {
        TypeId((KNOWN.len() + self.infos.len()) as u32)
    }

    /// Returns the type of this name, if it exists: a built-in one, one of a migration, or the row
    /// type of a relation.
    pub(super) fn of_name(&mut self, name: &Name) -> TypeId {
        if name.schema == SYSTEM
            && let Some(known) = known(&name.name)
        {
            return known;
        }
        if let Some(found) = self.by_name.get(name) {
            return *found;
        }
        if name.schema == SYSTEM {
            return self.built_in(&name.name.clone());
        }
        if name.schema == "information_schema" {
            let base = match name.name.as_str() {
                "cardinal_number" => INT4,
                "sql_identifier" => NAME,
                "time_stamp" => TIMESTAMPTZ,
                _ => VARCHAR,
            };
            if self.has_system_domains {
                let category = self.category(base);
                return self.add(name.clone(), Kind::Domain { base }, category, false, None);
            }
            // A server describes a domain by its base type.
            return base;
        }
        // Invalid migrations can have a type that consists of itself.
        if self.open.contains(name) {
            return self.add(name.clone(), Kind::Composite, 'C', false, None);
        }
        self.open.push(name.clone());
        let found = self.of_definition(name);
        self.open.pop();
        found
    }

    /// Reads the definition of a type in the catalog.
    fn of_definition(&mut self, name: &Name) -> TypeId {
        let catalog = self.catalog;
        match catalog.types.get(name).map(|found| &found.kind) {
            Some(TypeKind::External) => self.built_in(&name.name.clone()),
            Some(TypeKind::Enum { .. }) => self.add(name.clone(), Kind::Enum, 'E', false, None),
            Some(TypeKind::Composite { .. }) => {
                self.add(name.clone(), Kind::Composite, 'C', false, None)
            }
            Some(TypeKind::Domain { base, .. }) => {
                let base = self.of_data_type(base);
                let category = self.category(base);
                self.add(name.clone(), Kind::Domain { base }, category, false, None)
            }
            Some(TypeKind::Range { subtype, .. }) => {
                let subtype = self.of_data_type(subtype);
                self.add(name.clone(), Kind::Range { subtype }, 'R', false, None)
            }
            None => match range_of(catalog, name) {
                Some(range) => {
                    let range = self.of_name(&range);
                    self.add(name.clone(), Kind::Multirange { range }, 'R', false, None)
                }
                None => self.add(name.clone(), Kind::Composite, 'C', false, None),
            },
        }
    }

    pub(super) fn of_data_type(&mut self, data_type: &DataType) -> TypeId {
        let id = self.of_name(&data_type.name);
        match data_type.dimensions {
            0 => id,
            _ => self.array_of(id),
        }
    }

    pub(super) fn array_of(&mut self, element: TypeId) -> TypeId {
        if let Some(array) = self.arrays.get(&element) {
            return *array;
        }
        let name = self.info(element).name.clone();
        let bare = self.info(element).bare.clone();
        let id = self.next_id();
        self.infos.push(Info {
            name,
            kind: Kind::Array { element },
            category: if element == RECORD { 'P' } else { 'A' },
            is_preferred: false,
            bare: bare.map(|bare| format!("{bare}[]")),
        });
        self.arrays.insert(element, id);
        id
    }

    fn info(&self, id: TypeId) -> &Info {
        let at = id.0 as usize;
        match at.checked_sub(KNOWN.len()) {
            Some(at) => &self.infos[at],
            None => &KNOWN_INFOS[at],
        }
    }

    pub(super) fn kind(&self, id: TypeId) -> Kind {
        self.info(id).kind
    }

    pub(super) fn category(&self, id: TypeId) -> char {
        self.info(id).category
    }

    pub(super) fn is_preferred(&self, id: TypeId) -> bool {
        self.info(id).is_preferred
    }

    /// Returns the name in the lists of built-in objects.
    pub(super) fn bare(&self, id: TypeId) -> Option<&str> {
        self.info(id).bare.as_deref()
    }

    /// Returns the attributes of a composite type of an extension.
    pub(super) fn attributes(&mut self, id: TypeId) -> Vec<(String, TypeId)> {
        let found = self.bare(id).and_then(builtin::find_type);
        let attributes: Vec<_> = found.map_or(Vec::new(), |found| found.attributes().collect());
        let attributes = attributes.into_iter();
        attributes
            .map(|(name, of)| (name.to_owned(), self.built_in(of)))
            .collect()
    }

    pub(super) fn name(&self, id: TypeId) -> &Name {
        &self.info(id).name
    }

    /// Returns the base type of a domain, or any other type unchanged.
    pub(super) fn base(&self, mut id: TypeId) -> TypeId {
        while let Kind::Domain { base } = self.kind(id) {
            id = base;
        }
        id
    }

    /// Returns the type of the elements, if the type or its base type is an array.
    pub(super) fn element(&mut self, id: TypeId) -> Option<TypeId> {
        let base = self.base(id);
        if let Kind::Array { element } = self.kind(base) {
            return Some(element);
        }
        match self.bare(base) {
            Some("int2vector") => Some(INT2),
            Some("oidvector") => Some(OID),
            _ => None,
        }
    }

    pub(super) fn range_of(&self, multirange: TypeId) -> Option<TypeId> {
        match self.kind(multirange) {
            Kind::Multirange { range } => Some(range),
            _ => None,
        }
    }

    /// Returns the multirange of a range.
    pub(super) fn multirange_of(&mut self, range: TypeId) -> Option<TypeId> {
        let name = self.name(range).clone();
        if let Some(bare) = self.bare(range) {
            let multirange = bare.replace("range", "multirange");
            return Some(self.built_in(&multirange));
        }
        match self.catalog.types.get(&name).map(|found| &found.kind) {
            Some(TypeKind::Range { multirange, .. }) => {
                let multirange = multirange.clone();
                Some(self.of_name(&Name {
                    schema: name.schema,
                    name: multirange,
                }))
            }
            _ => None,
        }
    }

    pub(super) fn subtype(&self, range: TypeId) -> Option<TypeId> {
        match self.kind(range) {
            Kind::Range { subtype } => Some(subtype),
            _ => None,
        }
    }

    pub(super) fn is_composite(&self, id: TypeId) -> bool {
        self.kind(id) == Kind::Composite
    }

    pub(super) fn data_type(&self, id: TypeId) -> DataType {
        DataType {
            name: self.info(id).name.clone(),
            modifiers: Vec::new(),
            fields: None,
            dimensions: u8::from(matches!(self.kind(id), Kind::Array { .. })),
        }
    }

    /// Returns the name as PostgreSQL's messages have it: `integer`, `text[]`, `app.level`.
    pub(super) fn words(&self, id: TypeId) -> String {
        self.data_type(id).format_type()
    }
}

/// Returns a type of [`KNOWN`] by its name.
fn known(bare: &str) -> Option<TypeId> {
    let at = KNOWN.iter().position(|known| *known == bare)?;
    Some(TypeId(at as u32))
}

/// Returns the range type that a multirange belongs to.
fn range_of(catalog: &Catalog, name: &Name) -> Option<Name> {
    let mut types = catalog.types.values();
    let found = types.find(|found| {
        found.name.schema == name.schema
            && matches!(&found.kind, TypeKind::Range { multirange, .. } if *multirange == name.name)
    });
    found.map(|found| found.name.clone())
}

pub(super) fn is_polymorphic(id: TypeId) -> bool {
    (ANY_ELEMENT..=COMPATIBLE_MULTIRANGE).contains(&id)
}

/// Returns true for the types of the family of `anycompatible`.
pub(super) fn is_compatible(id: TypeId) -> bool {
    (COMPATIBLE..=COMPATIBLE_MULTIRANGE).contains(&id)
}
