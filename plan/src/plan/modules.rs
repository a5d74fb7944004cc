//! The modules of schemas other than `public`.

use std::collections::BTreeMap;

use super::names::rust_name;
use super::schema::SchemaPlan;

/// The module of each schema other than `public` that has code.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Modules(BTreeMap<String, String>);

impl Modules {
    /// Returns the modules of the schemas of some outputs. `taken` are the modules of other files.
    pub(super) fn new(schemas: &[SchemaPlan], taken: &[String]) -> Self {
        let outputs = schemas.iter().filter(|schema| schema.path.is_some());
        let tables = outputs.flat_map(|schema| &schema.tables);
        let names = tables.map(|table| &table.name.schema);
        let names = names.filter(|schema| *schema != "public");
        let mut modules = BTreeMap::new();
        for name in names {
            let mut module = rust_name(&name.to_lowercase(), None);
            while taken.contains(&module)
                || modules
                    .iter()
                    .any(|(other, it)| *it == module && other != name)
            {
                module.push('_');
            }
            modules.insert(name.clone(), module);
        }
        Self(modules)
    }

    /// Returns the module of a schema; `None` for `public`.
    pub(super) fn get(&self, schema: &str) -> Option<&String> {
        self.0.get(schema)
    }

    /// Returns the names of the modules.
    pub(super) fn names(&self) -> impl Iterator<Item = &String> {
        self.0.values()
    }
}
