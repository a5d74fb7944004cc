//! The texts that a query can have: with some of its conditions, in one of its orders.
//!
//! Each condition is checked alone and in pairs with each order. Beyond six conditions, the other
//! combinations are sampled.

use std::collections::BTreeSet;

use super::{Mistake, NamedQuery, Parameterized, Word, conditions};
use crate::query::{Checker, Column, Fault, Query};

/// The number of sampled combinations of more than [`WHOLE`] conditions.
const SAMPLES: usize = 64;

/// The number of conditions up to which all combinations are checked.
const WHOLE: usize = 6;

impl NamedQuery {
    /// Returns SQL of this query, as it was checked, with a gap for each condition that a call can
    /// leave out, for [`bowline_sql::compose`]. Returns `None` if there is no such condition.
    ///
    /// # Errors
    ///
    /// A condition that cannot be left out of this SQL, although it can be in the file.
    pub fn template(&self, sql: &str) -> Result<Option<String>, Mistake> {
        let optional = self.optional_parameters();
        let Some(first) = self.optional.first() else {
            return Ok(None);
        };
        let template = conditions::template(sql, &optional, |index| self.parameter_name(index));
        template
            .map(Some)
            .map_err(|refused| Mistake::new(first.span.clone(), refused.message).hint(refused.hint))
    }

    /// Checks the other texts of a query in one of its orders, whose text with all conditions is
    /// this query. A column can be NULL if it can be NULL in one of them.
    pub(super) fn check_shapes(
        &self,
        checker: &Checker<'_>,
        sql: &Parameterized,
        query: &mut Query,
    ) -> Result<(), Mistake> {
        let Some(template) = self.template(&sql.text)? else {
            return Ok(());
        };
        if let Some(written) = writes(&sql.text, query) {
            let word = &self.optional[0];
            return Err(Mistake::new(
                word.span.clone(),
                format!("a statement with {written} has no optional conditions"),
            )
            .hint("only a condition of a query that reads can be left out"));
        }
        let optional = self.optional_parameters();
        for given in combinations(optional.len()) {
            let is_given = |number: usize| given & (1 << number) != 0;
            let text = bowline_sql::compose(&template, is_given);
            let nullable: Vec<bool> = self
                .sent(query, &optional, is_given)
                .map(|index| self.is_nullable(index))
                .collect();
            let shape = checker
                .check_with(&text, &nullable)
                .map_err(|fault| self.refused(given, fault))?;
            if !is_alike(
                query,
                &shape,
                &self.sent(query, &optional, is_given).collect::<Vec<_>>(),
            ) {
                return Err(self.differs(given));
            }
            for (column, of_shape) in query.columns.iter_mut().zip(&shape.columns) {
                weaken(column, of_shape);
            }
            query.rows = query.rows.max(shape.rows);
            query.shards = query.shards.take().max(shape.shards);
            query.indexes.extend(shape.indexes);
        }
        Ok(())
    }

    /// Returns the parameters that are sent, by their numbers in the file.
    fn sent(
        &self,
        query: &Query,
        optional: &[usize],
        is_given: impl Fn(usize) -> bool,
    ) -> impl Iterator<Item = usize> {
        let left_out: BTreeSet<usize> = (0..optional.len())
            .filter(|number| !is_given(*number))
            .map(|number| optional[number])
            .collect();
        // A page has parameters of its own after those of the file.
        let parameters = self.sql.parameters().max(query.parameters.len());
        (0..parameters).filter(move |index| !left_out.contains(index))
    }

    fn refused(&self, given: usize, fault: Fault) -> Mistake {
        let (word, shown) = self.shown(given);
        Mistake {
            code: fault.code,
            message: format!("{shown}: {}", fault.message),
            span: word.span.clone(),
            hint: fault.hint.map(|hint| self.sql.with_names(hint)),
        }
    }

    fn differs(&self, given: usize) -> Mistake {
        let (word, shown) = self.shown(given);
        Mistake::new(
            word.span.clone(),
            format!("{shown}, the query has other types"),
        )
        .hint("cast the parameters and columns whose types depend on the condition")
    }

    /// Returns the first parameter that is left out, and a text for the combination.
    fn shown(&self, given: usize) -> (&Word, String) {
        let names: Vec<&Word> = self
            .optional
            .iter()
            .enumerate()
            .filter(|(number, _)| given & (1 << number) == 0)
            .map(|(_, word)| word)
            .collect();
        let shown: Vec<String> = names
            .iter()
            .map(|word| format!("`{}`", word.text))
            .collect();
        let word = names.first().copied().unwrap_or(&self.name);
        (word, format!("without {}", shown.join(", ")))
    }
}

/// Returns the combinations of this many conditions but for all of them, as sets of bits.
fn combinations(conditions: usize) -> BTreeSet<usize> {
    let all = (1_usize << conditions) - 1;
    if conditions <= WHOLE {
        return (0..all).collect();
    }
    let mut found = BTreeSet::from([0]);
    for one in 0..conditions {
        found.insert(all & !(1 << one));
        found.extend((0..=one).map(|other| 1 << one | 1 << other));
    }
    // The same ones in each run (xorshift).
    let mut random = 0x9e37_79b9_u32;
    for _ in 0..SAMPLES {
        random ^= random << 13;
        random ^= random >> 17;
        random ^= random << 5;
        found.insert(random as usize & all);
    }
    found.remove(&all);
    found
}

/// Returns the statement that writes, if there is one.
fn writes(sql: &str, query: &Query) -> Option<&'static str> {
    const WRITES: [(&str, &str); 4] = [
        ("update", "UPDATE"),
        ("delete", "DELETE"),
        ("merge", "MERGE"),
        ("insert", "INSERT"),
    ];
    let mut all = bowline_sql::tokens(sql).filter(|_| !query.writes.is_empty());
    all.find_map(|token| WRITES.iter().find(|(word, _)| token.is_word(word)))
        .map(|(_, shown)| *shown)
}

/// Returns true if a shape has the same columns and the same types of the parameters that are sent.
fn is_alike(query: &Query, shape: &Query, sent: &[usize]) -> bool {
    let types = |query: &Query| -> Vec<_> {
        let columns = query.columns.iter();
        columns
            .map(|column| (column.name.clone(), column.data_type.clone()))
            .collect()
    };
    let parameters = sent.iter().filter_map(|index| query.parameters.get(*index));
    types(query) == types(shape)
        && parameters.map(|parameter| &parameter.data_type).eq(shape
            .parameters
            .iter()
            .map(|parameter| &parameter.data_type))
}

/// Makes a column nullable if that of another text is.
pub(super) fn weaken(column: &mut Column, other: &Column) {
    column.nullable |= other.nullable;
    match (&mut column.row, &other.row) {
        (Some(row), Some(of_other)) => {
            row.has_null_elements |= of_other.has_null_elements;
            for (field, other) in row.fields.iter_mut().zip(&of_other.fields) {
                weaken(field, other);
            }
        }
        (row, _) => *row = None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_are_checked_alone_and_in_pairs() {
        assert_eq!(combinations(0).len(), 0);
        assert_eq!(combinations(6).len(), 63);
        let of_twelve = combinations(12);
        assert!(
            (150..=160).contains(&of_twelve.len()),
            "{}",
            of_twelve.len()
        );
        for one in 0..12 {
            for other in 0..12 {
                assert!(of_twelve.contains(&(1 << one | 1 << other)));
            }
        }
        assert_eq!(of_twelve, combinations(12));
    }
}
