//! Splits rows into parts that fit into one statement.

/// The most parameters that a statement can have (PostgreSQL manual, 55.7, Bind).
pub(crate) const MAX_PARAMETERS: usize = 65_535;

/// Splits rows into parts, each of as many rows as one `INSERT` with this number of columns can
/// insert.
///
/// It is for a handwritten `INSERT`; the generated `insert_many` splits its rows itself.
pub fn chunks<T>(rows: Vec<T>, columns: usize) -> impl Iterator<Item = Vec<T>> {
    let size = MAX_PARAMETERS / columns.max(1);
    let mut rows = rows.into_iter().peekable();
    std::iter::from_fn(move || {
        rows.peek()?;
        Some(rows.by_ref().take(size.max(1)).collect())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_chunk_exceeds_the_parameters_of_a_statement() {
        let sizes: Vec<_> = chunks((0..30_000).collect(), 6)
            .map(|part: Vec<i32>| part.len())
            .collect();
        assert_eq!(sizes, [10_922, 10_922, 8_156]);
        assert_eq!(chunks(Vec::<i32>::new(), 6).count(), 0);
    }
}
