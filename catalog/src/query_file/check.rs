//! The check of a query of a file by inference.

use super::{Annotated, Annotation, Mistake, NamedQuery};
use crate::query::{Checker, Query};

/// A query that was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// The inferred types and number of rows.
    pub query: Query,
    /// The mistake in the annotation, if it contradicts the inferred number of rows.
    pub conflict: Option<Mistake>,
}

impl NamedQuery {
    /// Checks the statement.
    ///
    /// # Errors
    ///
    /// The first mistake of the header, or what is wrong with the statement.
    pub fn check(&self, checker: &Checker<'_>) -> Result<Checked, Mistake> {
        if let Some(mistake) = self.mistakes.first() {
            return Err(mistake.clone());
        }
        let nullable: Vec<bool> = (0..self.sql.parameters())
            .map(|index| self.is_nullable(index))
            .collect();
        let checked = checker.check_with(&self.sql.text, &nullable);
        let query = checked.map_err(|fault| Mistake {
            code: fault.code,
            message: fault.message,
            span: self.sql.positions.in_file(&fault.span),
            hint: fault.hint,
        })?;
        let conflict = self.conflict(&query);
        Ok(Checked { query, conflict })
    }

    fn conflict(&self, query: &Query) -> Option<Mistake> {
        let Annotated {
            annotation, span, ..
        } = self.annotation.as_ref()?;
        let (message, hint) = annotation.conflict(query.rows)?;
        Some(Mistake::new(span.clone(), message).hint(hint))
    }

    /// Returns the annotation of the header; without one, that of the inferred number of rows.
    pub fn annotation_of(&self, query: &Query) -> Annotation {
        let written = self.annotation.as_ref();
        written.map_or(Annotation::of(query.rows), |written| written.annotation)
    }
}
