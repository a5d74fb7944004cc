//! The objects of a replay in progress that its catalog does not have yet.

use std::collections::BTreeSet;

use crate::routine::Routine;
use crate::{DataType, Name};

/// The objects of a replay in progress.
pub(crate) trait Objects {
    /// Returns the functions of migrations that have this name.
    fn overloads(&self, name: &str) -> Vec<Overload<'_>>;

    /// Returns true if a call finds the functions of an extension: they are in the schema that the
    /// call names, or on the search path.
    fn finds_extension(&self, extension: &str, schema: Option<&str>) -> bool;

    /// Returns the collation that a reference names.
    fn collation(&self, path: &[String]) -> Name;

    /// Returns the collation of a type, if it is not the database's.
    fn collation_of_type(&self, data_type: &DataType) -> Option<Name>;
}

/// A function of a migration.
pub(crate) struct Overload<'a> {
    pub(crate) name: &'a Name,
    /// Its definition, if all of it is known.
    pub(crate) routine: Option<&'a Routine>,
    pub(crate) argument_types: &'a [DataType],
    pub(crate) is_function: bool,
}

/// The objects that a query uses.
#[derive(Debug, Clone, Default)]
pub(crate) struct Used {
    pub(crate) relations: BTreeSet<Name>,
    pub(crate) columns: BTreeSet<(Name, String)>,
    /// The types that the query casts to.
    pub(crate) types: BTreeSet<Name>,
    /// The calls of functions of migrations: the position, the name, the index of the overload.
    pub(crate) calls: Vec<(usize, String, usize)>,
}
