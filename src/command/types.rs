//! The OIDs of types that migrations made, looked up once for a whole pool.
//!
//! Built-in types have fixed OIDs that diesel knows; enums, domains and types of extensions have
//! OIDs that the server assigned. Encoding a statement never uses a connection: a type that is not
//! in the cache is recorded as a miss, and all misses are looked up in one query before the
//! statement is sent.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use diesel::pg::{FailedToLookupTypeError, PgMetadataCacheKey, PgMetadataLookup, PgTypeMetadata};

use super::extra::Lacking;
use crate::sql_text::search_path::{SearchPathChange, SearchPathKey, SearchPathSetting};

/// A type as diesel names it: without a schema it is what the search path finds.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct TypeName {
    pub(crate) schema: Option<String>,
    pub(crate) name: String,
}

/// A SQL type, as diesel knows it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum SqlType {
    /// Built in: its OID is the same in each database.
    BuiltIn(u32),
    /// Known by its name; or the array of one that is.
    Named { name: TypeName, is_array: bool },
}

/// The OID of a type and of its array.
pub(crate) type Oids = (u32, u32);

/// The type of a column, and the type that it is read as.
pub(crate) type TypePair = (u32, SqlType);

/// The server's comparison of a pair.
#[derive(Debug, Clone)]
pub(crate) struct TypeMatch {
    /// Whether values of the column's type can be read as the other.
    pub(crate) reads: bool,
    /// The name of the column's type.
    pub(crate) actual: String,
}

/// The known types of one database; shared by all sessions of a pool.
///
/// Names without a schema are kept with the search path by which they were found.
#[derive(Debug, Default)]
pub(crate) struct TypeCache {
    known: RwLock<Known>,
    lacking: Lacking,
}

#[derive(Debug, Default)]
struct Known {
    oids: HashMap<(SearchPathKey, TypeName), Oids>,
    judged: HashMap<(SearchPathKey, TypePair), TypeMatch>,
    /// Whether any constraint of the database can be deferred.
    is_deferrable: Option<bool>,
}

/// With this many entries it is cleared: a search path for each of many tenants fills it.
const CAPACITY: usize = 16 * 1024;

impl TypeCache {
    fn known(&self) -> RwLockReadGuard<'_, Known> {
        self.known.read().unwrap_or_else(PoisonError::into_inner)
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
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.oids.len() >= CAPACITY {
            known.oids.clear();
        }
        known.oids.extend(
            found
                .into_iter()
                .map(|(name, oids)| ((name.path(path), name), oids)),
        );
    }

    /// Returns the server's comparison of a pair, if it is known.
    pub(crate) fn judged(&self, path: &SearchPathKey, pair: &TypePair) -> Option<TypeMatch> {
        let key = (Arc::clone(path), pair.clone());
        self.known().judged.get(&key).cloned()
    }

    /// Keeps the server's comparisons of pairs.
    pub(crate) fn keep(
        &self,
        path: &SearchPathKey,
        judged: impl IntoIterator<Item = (TypePair, TypeMatch)>,
    ) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.judged.len() >= CAPACITY {
            known.judged.clear();
        }
        let judged = judged.into_iter();
        known
            .judged
            .extend(judged.map(|(pair, judged)| ((Arc::clone(path), pair), judged)));
    }

    /// Returns what the server is known to lack; a change of the schema does not change that.
    pub(crate) fn lacking(&self) -> &Lacking {
        &self.lacking
    }

    /// Returns whether any constraint of the database can be deferred, if that was asked.
    pub(crate) fn has_deferrable(&self) -> Option<bool> {
        self.known().is_deferrable
    }

    /// Keeps whether any constraint can be deferred.
    pub(crate) fn set_has_deferrable(&self, has: bool) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.is_deferrable = Some(has);
    }

    /// Forgets everything, because DDL changed at least one type.
    pub(crate) fn clear(&self) {
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Known::default();
    }
}

impl TypeName {
    /// Returns the search path that it depends on; empty if it has a schema.
    fn path(&self, path: &SearchPathKey) -> SearchPathKey {
        if self.schema.is_some() {
            Arc::from("")
        } else {
            Arc::clone(path)
        }
    }
}

/// Looks OIDs up in the cache while diesel encodes a statement.
#[derive(Debug)]
pub(crate) struct TypeLookup {
    cache: Arc<TypeCache>,
    setting: SearchPathSetting,
    path: SearchPathKey,
    misses: Vec<(SearchPathKey, TypeName)>,
    /// Whether any type was looked up: then the statement depends on OIDs that may become stale.
    has_looked_up: bool,
}

impl TypeLookup {
    /// Looks types up by this search path.
    pub(crate) fn new(cache: Arc<TypeCache>, setting: SearchPathSetting) -> Self {
        Self {
            cache,
            path: setting.key(),
            setting,
            misses: Vec::new(),
            has_looked_up: false,
        }
    }

    /// Begins the lookups of another statement, by this search path.
    pub(crate) fn begin(&mut self, setting: &SearchPathSetting) {
        if self.setting != *setting {
            self.setting = setting.clone();
            self.path = self.setting.key();
        }
        self.misses.clear();
        self.has_looked_up = false;
    }

    /// Applies a statement's change of the search path to the lookups that follow.
    pub(crate) fn change(&mut self, change: &SearchPathChange) {
        self.setting.apply(change);
        self.path = self.setting.key();
    }

    /// Returns the search path that names are looked up by.
    pub(crate) fn path(&self) -> &SearchPathKey {
        &self.path
    }

    /// Returns the types that were missing; once they are known, the statement has to be encoded
    /// again.
    pub(crate) fn take_misses(&mut self) -> Vec<(SearchPathKey, TypeName)> {
        std::mem::take(&mut self.misses)
    }

    /// Returns whether any type was looked up since this was last called.
    pub(crate) fn take_has_looked_up(&mut self) -> bool {
        std::mem::take(&mut self.has_looked_up)
    }
}

impl PgMetadataLookup for TypeLookup {
    fn lookup_type(&mut self, type_name: &str, schema: Option<&str>) -> PgTypeMetadata {
        let name = TypeName {
            schema: schema.map(str::to_owned),
            name: type_name.to_owned(),
        };
        self.has_looked_up = true;
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
