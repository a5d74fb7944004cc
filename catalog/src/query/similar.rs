//! The known name that a misspelled one is closest to.

/// Returns the closest of several names, if it differs in no more than a third of the letters.
pub(super) fn similar<'n>(
    wanted: &str,
    names: impl IntoIterator<Item = &'n str>,
) -> Option<&'n str> {
    let most = (wanted.len() / 3).max(1);
    let near = names
        .into_iter()
        .filter(|name| name.len().abs_diff(wanted.len()) <= most);
    let near = near.map(|name| (distance(wanted, name), name));
    let found = near.filter(|(distance, _)| (1..=most).contains(distance));
    found.min().map(|(_, name)| name)
}

/// Returns the number of letters to change, add, leave out or swap (Damerau and Levenshtein).
pub(super) fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut last: Option<char> = None;
    let mut above: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.chars().enumerate() {
        let mut next = vec![i + 1];
        for (j, b) in other.iter().enumerate() {
            let changed = row[j] + usize::from(a != *b);
            let mut least = changed.min(row[j + 1] + 1).min(next[j] + 1);
            if j > 0 && last == Some(*b) && other[j - 1] == a {
                least = least.min(above[j - 1] + 1);
            }
            next.push(least);
        }
        last = Some(a);
        above = std::mem::replace(&mut row, next);
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closest_name_is_found() {
        for (wanted, expected) in [
            ("lenght", Some("length")),
            ("cuont", Some("count")),
            ("upperr", Some("upper")),
            ("xyz", None),
            ("length", None),
        ] {
            let names = ["length", "count", "upper", "lower"];
            assert_eq!(similar(wanted, names), expected, "{wanted}");
        }
    }
}
