//! A function or operator that a call may mean.

use super::types::TypeId;

/// A function or operator that a call may mean.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    /// The declared types, one for each argument of the call.
    pub(super) arguments: Vec<TypeId>,
    pub(super) result: TypeId,
    /// The position in the list that the candidates were made of.
    pub(super) index: usize,
    /// Whether arguments are collected for a VARIADIC parameter.
    pub(super) is_variadic: bool,
    /// The number of parameters that get their defaults.
    pub(super) defaults: usize,
    /// For arguments by name: the position of each parameter's argument.
    pub(super) order: Option<Vec<usize>>,
}

impl Candidate {
    /// Returns what the arguments of a call are in the order of the parameters.
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
