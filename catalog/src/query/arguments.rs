//! The arguments of a call as they are written, and the clauses around them.

use super::analyzer::Result;
use super::expr::Expr;
use super::fault::Fault;

/// The arguments of a call, and the clauses around them.
#[derive(Debug, Default)]
pub(super) struct Arguments {
    pub(super) values: Vec<Expr>,
    /// The names of the last arguments, if they are given by name.
    pub(super) names: Vec<Option<String>>,
    /// `VARIADIC list`.
    pub(super) is_variadic: bool,
    pub(super) is_star: bool,
    pub(super) is_distinct: bool,
    /// ORDER BY in the arguments.
    pub(super) order: Vec<Expr>,
    /// The condition of FILTER.
    pub(super) others: Vec<Expr>,
    pub(super) over: Option<Vec<Expr>>,
    /// Whether the frame of each row has the row itself.
    pub(super) holds_current_row: bool,
    pub(super) is_procedure: bool,
    /// The number of arguments before those of WITHIN GROUP, if there is such a clause.
    pub(super) direct: Option<usize>,
}

impl Arguments {
    /// Checks the names of arguments, and forgets them if there are none.
    pub(super) fn check_names(&mut self) -> Result<()> {
        let mut named: Vec<&String> = Vec::new();
        for (name, value) in self.names.iter().zip(&self.values) {
            match name {
                Some(name) if named.contains(&name) => {
                    let message = format!("argument name \"{name}\" used more than once");
                    return Err(Fault::error("42601", value.span.clone(), message));
                }
                Some(name) => named.push(name),
                None if !named.is_empty() => {
                    let message = "positional argument cannot follow named argument";
                    return Err(Fault::error("42601", value.span.clone(), message));
                }
                None => {}
            }
        }
        if self.names.iter().all(Option::is_none) {
            self.names.clear();
        }
        Ok(())
    }
}
