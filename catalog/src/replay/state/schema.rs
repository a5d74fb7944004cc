//! Schemas, extensions and the search path.

use crate::replay::state::{PUBLIC, State};

impl State {
    pub(crate) fn create_schema(&mut self, schema: &str) {
        if schema != PUBLIC {
            self.catalog.schemas.insert(schema.to_owned(), None);
        }
        self.schemas.insert(schema.to_owned());
    }

    /// Removes an empty schema.
    pub(crate) fn drop_schema(&mut self, schema: &str) {
        self.catalog.gaps.retain(|gap| gap.name.schema != schema);
        self.catalog.schemas.remove(schema);
        self.catalog.schema_privileges.remove(schema);
        self.schemas.remove(schema);
    }

    pub(crate) fn comment_on_schema(&mut self, schema: &str, comment: Option<String>) {
        if let Some(known) = self.catalog.schemas.get_mut(schema) {
            *known = comment;
        }
    }

    /// Runs a closure with a schema at the front of the search path.
    pub(crate) fn within_schema<T>(
        &mut self,
        schema: &str,
        work: impl FnOnce(&mut Self) -> T,
    ) -> T {
        let before = self.settings.search_path.clone();
        self.settings.search_path.insert(0, schema.to_owned());
        let done = work(self);
        self.settings.search_path = before;
        done
    }

    /// Adds an extension, or moves it to this schema.
    pub(crate) fn install_extension(&mut self, extension: String, schema: String) {
        self.catalog.extensions.insert(extension.clone());
        self.move_extension(extension, schema);
    }

    pub(crate) fn move_extension(&mut self, extension: String, schema: String) {
        self.extension_schemas.insert(extension, schema);
    }

    pub(crate) fn remove_extension(&mut self, extension: &str) {
        self.catalog.extensions.remove(extension);
        self.extension_schemas.remove(extension);
    }

    /// Returns the extensions that are installed in a schema.
    pub(crate) fn extensions_in(&self, schema: &str) -> Vec<String> {
        let schemas = self.extension_schemas.iter();
        schemas
            .filter(|(_, installed_in)| *installed_in == schema)
            .map(|(extension, _)| extension.clone())
            .collect()
    }
}
