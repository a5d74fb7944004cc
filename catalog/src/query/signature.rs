//! The signature of a function.

use super::types::TypeId;
use crate::routine::RoutineKind;

/// A function, aggregate or procedure: a built-in one, or one of an extension or a migration.
#[derive(Debug, Clone)]
pub(super) struct Function {
    pub(super) name: String,
    pub(super) parameters: Vec<TypeId>,
    pub(super) names: Vec<String>,
    pub(super) defaults: usize,
    pub(super) is_variadic: bool,
    pub(super) result: TypeId,
    pub(super) returns_set: bool,
    pub(super) kind: RoutineKind,
    pub(super) is_strict: bool,
    pub(super) columns: Vec<(String, TypeId)>,
    pub(super) is_built_in: bool,
    /// True if the type of the result is not known.
    pub(super) is_opaque: bool,
    /// The index among the overloads of a replay in progress.
    pub(super) overload: Option<usize>,
}
