//! What was probably meant by a name that is not there.

/// The candidate that is most like the word, if any is like it.
pub(crate) fn nearest<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    // What clap takes for alike.
    const ALIKE: f64 = 0.7;
    let likeness = |candidate: &str| strsim::jaro(word, candidate);
    candidates
        .into_iter()
        .filter(|candidate| likeness(candidate) > ALIKE)
        .max_by(|a, b| likeness(a).total_cmp(&likeness(b)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_alike_is_meant_if_any_is() {
        assert_eq!(
            nearest("acounts", ["account", "accounts", "transfers"]),
            Some("accounts")
        );
        assert_eq!(nearest("x", ["accounts"]), None);
    }
}
