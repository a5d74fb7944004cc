//! Suggestions for misspelled names.

/// Returns the candidate that is most similar to a word, if one is similar enough.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // As in clap.
    const THRESHOLD: f64 = 0.7;
    let similarity = |candidate: &str| strsim::jaro(word, candidate);
    candidates
        .into_iter()
        .filter(|candidate| similarity(candidate) > THRESHOLD)
        .max_by(|a, b| similarity(a).total_cmp(&similarity(b)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_similar_name_is_suggested() {
        assert_eq!(
            nearest("acounts", ["account", "accounts", "transfers"]),
            Some("accounts")
        );
        assert_eq!(nearest("x", ["accounts"]), None);
    }
}
