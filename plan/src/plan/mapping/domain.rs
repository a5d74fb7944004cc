//! The Rust types of domains, for which settings can name one.

use bowline_catalog::{Catalog, DataType, Name, TypeKind};

use super::{AS_TEXT, Mapping, as_text, base, cast, list};
use crate::plan::rust_type::{Mapped, RustType};
use crate::project::of_name;

impl Mapping {
    /// Returns the counterpart of a type; `None` for a pseudo-type. `is_whole` is true if no
    /// element of an array is NULL.
    pub(in crate::plan) fn of(
        &self,
        catalog: &Catalog,
        data_type: &DataType,
        is_whole: bool,
    ) -> Option<Mapped> {
        let Some((domain, of)) = self.domain(catalog, data_type) else {
            return self.of_base(catalog, data_type, is_whole);
        };
        let given = of_name(&self.given, &domain).filter(|_| !self.newtypes.contains(&domain));
        if given.is_some_and(|given| given == AS_TEXT) {
            let base = base(catalog, data_type);
            let (read, dimensions) = match base.dimensions {
                1 => ("text[]", 1),
                several => ("text", several.min(1)),
            };
            let write = cast(&base.name, dimensions);
            return Some(as_text(
                &base.name,
                read,
                &write,
                read == "text[]",
                is_whole,
            ));
        }
        // What the domain is over can be another domain with a type of its own.
        let inner = self.of(catalog, &of, false)?;
        let own = match given {
            Some(given) => RustType::cloned(given, None).unhashed(),
            None => inner.rust_type.newtype(self.names.get(&domain)?, &domain),
        };
        if data_type.dimensions == 0 {
            return Some(Mapped {
                rust_type: own,
                ..inner
            });
        }
        let mapped = self.of_base(catalog, data_type, is_whole)?;
        // An array whose elements are arrays is one text.
        if !mapped.rust_type.is_array() {
            return Some(mapped);
        }
        Some(Mapped {
            rust_type: list(own, is_whole),
            ..mapped
        })
    }

    /// Returns true if a setting names the Rust type of a domain that the type has.
    pub(in crate::plan) fn has_own_type(&self, catalog: &Catalog, data_type: &DataType) -> bool {
        let found = self.domain(catalog, data_type);
        found.is_some_and(|(domain, _)| !self.is_text_by_setting(&domain))
    }

    /// Returns the first domain, of those that a type or the elements of an array have, for which a
    /// setting names a Rust type, and what it is over.
    fn domain(&self, catalog: &Catalog, data_type: &DataType) -> Option<(Name, DataType)> {
        let mut name = data_type.name.clone();
        // PostgreSQL has no circular domains.
        loop {
            let TypeKind::Domain { base, .. } = &catalog.types.get(&name)?.kind else {
                return None;
            };
            if self.newtypes.contains(&name) || of_name(&self.given, &name).is_some() {
                return Some((name, base.clone()));
            }
            if base.dimensions > 0 {
                return None;
            }
            name = base.name.clone();
        }
    }
}
