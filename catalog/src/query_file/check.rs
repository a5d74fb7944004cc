//! What inference says about a query of a file.

use super::{Annotated, Annotation, Mistake, NamedQuery};
use crate::query::{Checker, Query};

/// A query that was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// What was inferred.
    pub query: Query,
    /// Why the annotation of the header cannot be true, if it cannot.
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

    /// Returns what the header says, or the annotation of what was inferred.
    pub fn annotation_of(&self, query: &Query) -> Annotation {
        let written = self.annotation.as_ref();
        written.map_or(Annotation::of(query.rows), |written| written.annotation)
    }
}
