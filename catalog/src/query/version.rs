//! Syntax and functions that came with a later version of PostgreSQL than that of the settings.

use super::analyzer::{Analyzer, Result};
use super::expr::Span;
use super::fault::Fault;
use crate::replay::builtin;

const HINT: &str = "raise `postgres` in the settings if each server is of that version or newer";

impl Analyzer<'_> {
    /// Returns true if this version is later than that of the settings.
    pub(super) fn is_before(&self, came_with: u32) -> bool {
        self.version.is_some_and(|version| version < came_with)
    }

    /// Fails if a syntax came with a later version.
    pub(super) fn since(&self, came_with: u32, what: &str, span: &Span) -> Result<()> {
        if self.is_before(came_with) {
            return Err(self.too_new("42601", what, came_with, span));
        }
        Ok(())
    }

    /// Returns the error for something that came with a later version.
    pub(super) fn too_new(
        &self,
        code: &'static str,
        what: &str,
        came_with: u32,
        span: &Span,
    ) -> Fault {
        let version = self.version.unwrap_or(*builtin::VERSIONS.end());
        let message =
            format!("{what} came with PostgreSQL {came_with}; the settings say {version}");
        Fault::error(code, span.clone(), message).hint(HINT)
    }

    /// Returns the error for a function of this name, if only a later version has one.
    pub(super) fn later_function(&self, path: &[String], span: &Span) -> Option<Fault> {
        let name = path.last()?;
        let own = self.catalog.routines.iter();
        if own.into_iter().any(|own| own.name.name == *name) {
            return None;
        }
        let functions = builtin::functions(name, |it| self.catalog.extensions.contains(it));
        let came = functions.filter_map(|function| {
            let came = function.came_with()?;
            self.is_before(came).then_some(came)
        });
        let came = came.min()?;
        let is_new = self
            .version
            .is_some_and(|version| !builtin::has_function_in(name, version));
        let what = if is_new {
            format!("`{name}`")
        } else {
            format!("a function `{name}` that may be meant")
        };
        Some(self.too_new("42883", &what, came, span))
    }
}
