//! The types that statements name, as the search path in effect resolves them.
//!
//! A name stands for another type once the search path changes, so the path and the types that
//! were found by it are kept together.

use std::sync::Arc;

use super::search_path::SearchPath;
use crate::command::types::{TypeCache, TypeLookup};
use crate::sql_text::local_setting::LocalSchema;
use crate::sql_text::search_path::{SearchPathChange, SearchPathKey};

/// The types of the database by name, and the search path.
pub(super) struct Types {
    /// All sessions of a pool share it.
    cache: Arc<TypeCache>,
    /// The look-up of types for the statement that is encoded.
    lookup: TypeLookup,
    search_path: SearchPath,
    /// The schema of the call, whose path is set in each of its transactions.
    local: Option<Arc<LocalSchema>>,
}

impl Types {
    /// `path` is the search path that the server reports at the start, if it does.
    pub(super) fn new(cache: Arc<TypeCache>, path: Option<String>) -> Self {
        let mut search_path = SearchPath::default();
        search_path.report(path);
        Self {
            lookup: TypeLookup::new(Arc::clone(&cache), search_path.setting().clone()),
            cache,
            search_path,
            local: None,
        }
    }

    /// Returns the cache, which all sessions of a pool share.
    #[inline]
    pub(super) fn cache(&self) -> &TypeCache {
        &self.cache
    }

    /// Begins to look types up for a statement, by the search path in effect.
    #[inline]
    pub(super) fn begin_statement(&mut self) -> &mut TypeLookup {
        self.lookup.begin(self.search_path.setting());
        &mut self.lookup
    }

    /// Returns another look-up, by the search path in effect.
    pub(super) fn lookup(&self) -> TypeLookup {
        TypeLookup::new(Arc::clone(&self.cache), self.search_path.setting().clone())
    }

    /// Sets the schema in which a call finds its tables first.
    pub(super) fn set_local(&mut self, schema: Option<Arc<LocalSchema>>) {
        self.local = schema;
    }

    /// Returns the name of the schema in which the call finds its tables first.
    pub(super) fn local_schema(&self) -> Option<&str> {
        self.local.as_deref().map(|schema| &*schema.name)
    }

    /// Returns the search path that the statements of the call have, and the change to it from the
    /// session's own.
    pub(super) fn path_of_call(&self) -> (SearchPathKey, Option<SearchPathChange>) {
        match &self.local {
            Some(schema) => {
                let change = SearchPathChange::local(Some(&schema.key));
                (Arc::clone(&schema.key), Some(change))
            }
            None => (self.path_key(), None),
        }
    }

    /// Takes a cache of its own instead of the shared one.
    #[cfg(feature = "testing")]
    pub(super) fn begin_anew(&mut self) {
        self.cache = Arc::default();
        self.lookup = self.lookup();
    }

    /// Returns the key of the search path in effect.
    pub(super) fn path_key(&self) -> SearchPathKey {
        self.search_path.key()
    }

    /// Returns the search path, which statements and transactions change.
    #[inline]
    pub(super) fn search_path(&mut self) -> &mut SearchPath {
        &mut self.search_path
    }
}
