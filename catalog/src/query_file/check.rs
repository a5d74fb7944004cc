//! The check of a query of a file by inference.

use super::{Annotated, Annotation, Mistake, NamedQuery, Paged, Parameterized, shapes};
use crate::query::{Checker, Query, Rows};

/// A query that was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// The inferred types and number of rows, with all optional conditions, in the first order.
    pub query: Query,
    /// The query in each of its orders.
    pub orders: Vec<Query>,
    /// The pages in each of its orders; of a query without named orders, in its own.
    pub pages: Vec<Paged>,
    /// The mistake in the annotation, if it contradicts the inferred number of rows.
    pub conflict: Option<Mistake>,
}

impl Checked {
    /// Returns the number of different texts that calls can send: those of the pages in each of the
    /// orders, with each combination of the optional conditions.
    pub fn texts(&self, named: &NamedQuery) -> usize {
        let of_pages = |paged: &Paged| 3 + 2 * usize::from(paged.after_null.is_some());
        let pages: usize = self.pages.iter().map(of_pages).sum();
        match pages {
            0 => named.shapes(),
            pages => pages << named.optional.len(),
        }
    }
}

impl From<Query> for Checked {
    /// A query that has one text.
    fn from(query: Query) -> Self {
        Self {
            query,
            orders: Vec::new(),
            pages: Vec::new(),
            conflict: None,
        }
    }
}

impl NamedQuery {
    /// Checks the statement, in each of its orders, with and without its optional conditions.
    ///
    /// # Errors
    ///
    /// The first mistake of the header, or what is wrong with the statement.
    pub fn check(&self, checker: &Checker<'_>) -> Result<Checked, Mistake> {
        if let Some(mistake) = self.mistakes.first() {
            return Err(mistake.clone());
        }
        let mut query = self.check_order(checker, &self.sql)?;
        let mut orders: Vec<Query> = Vec::new();
        for order in &self.orders {
            let of_order = self.check_order(checker, &order.sql)?;
            for (column, other) in query.columns.iter_mut().zip(&of_order.columns) {
                shapes::weaken(column, other);
            }
            query.rows = query.rows.max(of_order.rows);
            query.reads.extend(of_order.reads.iter().cloned());
            query.shards = query.shards.max(of_order.shards.clone());
            query.indexes.extend(of_order.indexes.iter().cloned());
            orders.push(of_order);
        }
        let mut pages = Vec::new();
        if self.has_pages() && query.rows != Rows::Affected {
            let texts = self.orders.iter().map(|order| &order.sql).zip(&orders);
            for (sql, checked) in texts.chain(self.orders.is_empty().then_some((&self.sql, &query)))
            {
                pages.push(self.check_pages(checker, sql, checked)?);
            }
        }
        let conflict = self.conflict(&query);
        Ok(Checked {
            query,
            orders,
            pages,
            conflict,
        })
    }

    /// Checks the texts that the statement has in one order.
    fn check_order(&self, checker: &Checker<'_>, sql: &Parameterized) -> Result<Query, Mistake> {
        let nullable: Vec<bool> = (0..self.sql.parameters())
            .map(|index| self.is_nullable(index))
            .collect();
        let checked = checker.check_with(&sql.text, &nullable);
        let checked = checked.and_then(Query::without_omitted);
        let mut query = checked.map_err(|fault| Mistake {
            code: fault.code,
            message: fault.message,
            span: sql.positions.in_file(&fault.span),
            hint: fault.hint.map(|hint| self.sql.with_names(hint)),
        })?;
        self.check_shapes(checker, sql, &mut query)?;
        Ok(query)
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
