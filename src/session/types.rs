//! The OIDs of types that migrations made, looked up once for a whole pool.
//!
//! Built-in types have fixed OIDs that diesel knows; enums, domains and extension types have those that
//! the server gave them. Encoding a statement never touches a connection: what the cache does not hold
//! is recorded as a miss, and all misses are resolved in one batch before the statement is sent.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use diesel::pg::{FailedToLookupTypeError, PgMetadataCacheKey, PgMetadataLookup, PgTypeMetadata};

/// A type as diesel names it: without a schema it is what the search path finds.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct TypeName {
    pub(crate) schema: Option<String>,
    pub(crate) name: String,
}

/// The OID of a type and of its array.
pub(crate) type Oids = (u32, u32);

/// What is known of one database's types; shared by all sessions of a pool.
#[derive(Debug, Default)]
pub(crate) struct TypeCache(RwLock<HashMap<TypeName, Oids>>);

impl TypeCache {
    fn get(&self, name: &TypeName) -> Option<Oids> {
        self.0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(name)
            .copied()
    }

    pub(crate) fn extend(&self, found: impl IntoIterator<Item = (TypeName, Oids)>) {
        self.0
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .extend(found);
    }

    /// Forgets all, because DDL made at least one of them stale.
    pub(crate) fn clear(&self) {
        self.0
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }
}

/// diesel's way to ask for OIDs during the encoding of a statement.
#[derive(Debug)]
pub(crate) struct TypeLookup {
    cache: Arc<TypeCache>,
    misses: Vec<TypeName>,
}

impl TypeLookup {
    pub(crate) fn new(cache: Arc<TypeCache>) -> Self {
        Self {
            cache,
            misses: Vec::new(),
        }
    }

    /// What was asked for and not there; the statement has to be encoded anew once it is.
    pub(crate) fn take_misses(&mut self) -> Vec<TypeName> {
        std::mem::take(&mut self.misses)
    }
}

impl PgMetadataLookup for TypeLookup {
    fn lookup_type(&mut self, type_name: &str, schema: Option<&str>) -> PgTypeMetadata {
        let name = TypeName {
            schema: schema.map(str::to_owned),
            name: type_name.to_owned(),
        };
        let known = self.cache.get(&name);
        if known.is_none() && !self.misses.contains(&name) {
            self.misses.push(name);
        }
        PgTypeMetadata::from_result(known.ok_or_else(|| {
            let key = PgMetadataCacheKey::new(schema.map(Cow::Borrowed), Cow::Borrowed(type_name));
            FailedToLookupTypeError::new(key.into_owned())
        }))
    }
}
