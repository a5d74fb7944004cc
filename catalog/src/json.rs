//! The catalog as JSON; `docs/CATALOG.md` describes the format.

use std::collections::BTreeMap;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Catalog, Name, Relation, Sequence, Type};

/// The version of the format. It is raised when an older reader could misread a newer file.
const VERSION: u32 = 4;

#[derive(Serialize)]
struct File<'a> {
    bowline_catalog: u32,
    #[serde(flatten)]
    catalog: &'a Catalog,
}

#[derive(Deserialize)]
struct Read {
    bowline_catalog: u32,
    #[serde(flatten)]
    catalog: Catalog,
}

/// Returns a catalog as JSON, with one fact on each line.
pub fn write(catalog: &Catalog) -> Result<String, serde_json::Error> {
    let file = File {
        bowline_catalog: VERSION,
        catalog,
    };
    Ok(serde_json::to_string_pretty(&file)? + "\n")
}

/// Returns the catalog that a JSON text describes.
pub fn read(text: &str) -> Result<Catalog, serde_json::Error> {
    let file: Read = serde_json::from_str(text)?;
    if file.bowline_catalog != VERSION {
        return Err(serde_json::Error::custom(format!(
            "it is of version {}, and this command reads version {VERSION}",
            file.bowline_catalog
        )));
    }
    Ok(file.catalog)
}

/// An object that a map holds under its name.
pub(super) trait Named {
    fn name(&self) -> &Name;
}

impl Named for Relation {
    fn name(&self) -> &Name {
        &self.name
    }
}

impl Named for Sequence {
    fn name(&self) -> &Name {
        &self.name
    }
}

impl Named for Type {
    fn name(&self) -> &Name {
        &self.name
    }
}

/// A map by name as a JSON list, since the keys of a JSON object are strings.
pub(super) mod by_name {
    use super::{BTreeMap, Deserialize, Deserializer, Name, Named, Serialize, Serializer};

    pub(in super::super) fn serialize<S: Serializer, T: Serialize>(
        map: &BTreeMap<Name, T>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(map.values())
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>, T: Deserialize<'de> + Named>(
        deserializer: D,
    ) -> Result<BTreeMap<Name, T>, D::Error> {
        let items = Vec::<T>::deserialize(deserializer)?;
        Ok(items
            .into_iter()
            .map(|item| (item.name().clone(), item))
            .collect())
    }
}
