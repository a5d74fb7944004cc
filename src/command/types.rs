//! The OIDs of types that migrations made, looked up once for a whole pool.
//!
//! Built-in types have fixed OIDs that diesel knows; enums, domains and extension types have those that
//! the server gave them. Encoding a statement never touches a connection: what the cache does not hold
//! is recorded as a miss, and all misses are resolved in one batch before the statement is sent.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use diesel::pg::{FailedToLookupTypeError, PgMetadataCacheKey, PgMetadataLookup, PgTypeMetadata};

use crate::command::columns::SqlType;
use crate::sql_text::search_path::{SearchPathChange, SearchPathKey, SearchPathSetting};

/// A type as diesel names it: without a schema it is what the search path finds.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct TypeName {
    pub(crate) schema: Option<String>,
    pub(crate) name: String,
}

/// The OID of a type and of its array.
pub(crate) type Oids = (u32, u32);

/// The type of a column, and the type that it is read as.
pub(crate) type TypePair = (u32, SqlType);

/// What the server says of a pair.
#[derive(Debug, Clone)]
pub(crate) struct TypeMatch {
    /// Whether values of the one are read as the other.
    pub(crate) reads: bool,
    /// The name of the column's type.
    pub(crate) actual: String,
}

/// What is known of one database's types; shared by all sessions of a pool.
///
/// Names without a schema are known for the search path by which they were found.
#[derive(Debug, Default)]
pub(crate) struct TypeCache(RwLock<Known>);

#[derive(Debug, Default)]
struct Known {
    oids: HashMap<(SearchPathKey, TypeName), Oids>,
    judged: HashMap<(SearchPathKey, TypePair), TypeMatch>,
}

/// With this many entries it begins anew: a path for each of many tenants fills it.
const CAPACITY: usize = 16 * 1024;

impl TypeCache {
    fn known(&self) -> RwLockReadGuard<'_, Known> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn get(&self, path: &SearchPathKey, name: &TypeName) -> Option<Oids> {
        let key = (name.path(path), name.clone());
        self.known().oids.get(&key).copied()
    }

    pub(crate) fn extend(
        &self,
        path: &SearchPathKey,
        found: impl IntoIterator<Item = (TypeName, Oids)>,
    ) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if known.oids.len() >= CAPACITY {
            known.oids.clear();
        }
        known.oids.extend(
            found
                .into_iter()
                .map(|(name, oids)| ((name.path(path), name), oids)),
        );
    }

    /// What the server said of a pair.
    pub(crate) fn judged(&self, path: &SearchPathKey, pair: &TypePair) -> Option<TypeMatch> {
        let key = (Arc::clone(path), pair.clone());
        self.known().judged.get(&key).cloned()
    }

    /// Keeps what the server said of pairs.
    pub(crate) fn keep(
        &self,
        path: &SearchPathKey,
        judged: impl IntoIterator<Item = (TypePair, TypeMatch)>,
    ) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if known.judged.len() >= CAPACITY {
            known.judged.clear();
        }
        let judged = judged.into_iter();
        known
            .judged
            .extend(judged.map(|(pair, judged)| ((Arc::clone(path), pair), judged)));
    }

    /// Forgets all, because DDL made at least one of them stale.
    pub(crate) fn clear(&self) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Known::default();
    }
}

impl TypeName {
    /// The path that it depends on: none if it has a schema.
    fn path(&self, path: &SearchPathKey) -> SearchPathKey {
        if self.schema.is_some() {
            Arc::from("")
        } else {
            Arc::clone(path)
        }
    }
}

/// diesel's way to ask for OIDs during the encoding of a statement.
#[derive(Debug)]
pub(crate) struct TypeLookup {
    cache: Arc<TypeCache>,
    setting: SearchPathSetting,
    path: SearchPathKey,
    misses: Vec<(SearchPathKey, TypeName)>,
    /// Whether anything was asked for: then the statement rests on what may become stale.
    asked: bool,
}

impl TypeLookup {
    /// Looks types up that are found so.
    pub(crate) fn new(cache: Arc<TypeCache>, setting: SearchPathSetting) -> Self {
        Self {
            cache,
            path: setting.key(),
            setting,
            misses: Vec::new(),
            asked: false,
        }
    }

    /// A statement changes what types are found by; those that follow are looked up so.
    pub(crate) fn change(&mut self, change: &SearchPathChange) {
        self.setting.apply(change);
        self.path = self.setting.key();
    }

    /// The search path that names are looked up by.
    pub(crate) fn path(&self) -> &SearchPathKey {
        &self.path
    }

    /// What was asked for and not there; the statement has to be encoded anew once it is.
    pub(crate) fn take_misses(&mut self) -> Vec<(SearchPathKey, TypeName)> {
        std::mem::take(&mut self.misses)
    }

    /// Whether anything was asked for since this was last called.
    pub(crate) fn was_asked(&mut self) -> bool {
        std::mem::take(&mut self.asked)
    }
}

impl PgMetadataLookup for TypeLookup {
    fn lookup_type(&mut self, type_name: &str, schema: Option<&str>) -> PgTypeMetadata {
        let name = TypeName {
            schema: schema.map(str::to_owned),
            name: type_name.to_owned(),
        };
        self.asked = true;
        let known = self.cache.get(&self.path, &name);
        if known.is_none() {
            let miss = (Arc::clone(&self.path), name);
            if !self.misses.contains(&miss) {
                self.misses.push(miss);
            }
        }
        PgTypeMetadata::from_result(known.ok_or_else(|| {
            let key = PgMetadataCacheKey::new(schema.map(Cow::Borrowed), Cow::Borrowed(type_name));
            FailedToLookupTypeError::new(key.into_owned())
        }))
    }
}
