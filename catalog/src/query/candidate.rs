//! A function or operator that a call may mean.

use super::types::TypeId;

/// A function or operator that a call may mean.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    /// The declared types, one for each argument of the call.
    pub(super) arguments: Vec<TypeId>,
    pub(super) result: TypeId,
    /// The index in the list of functions or operators from which the candidates were made.
    pub(super) index: usize,
    /// True if the last arguments become one array, for a VARIADIC parameter.
    pub(super) is_variadic: bool,
    /// The number of parameters that get their defaults.
    pub(super) defaults: usize,
    /// For arguments by name: the position of each parameter's argument.
    pub(super) order: Option<Vec<usize>>,
}

impl Candidate {
    /// Returns the types of a call's arguments in the order of the parameters.
    pub(super) fn ordered(&self, given: &[TypeId]) -> Vec<TypeId> {
        match &self.order {
            None => given.to_vec(),
            Some(order) => order
                .iter()
                .filter_map(|at| given.get(*at).copied())
                .collect(),
        }
    }

    /// Returns the declared type of an argument of the call.
    pub(super) fn argument(&self, position: usize) -> Option<TypeId> {
        let at = match &self.order {
            None => position,
            Some(order) => order.iter().position(|at| *at == position)?,
        };
        self.arguments.get(at).copied()
    }
}
