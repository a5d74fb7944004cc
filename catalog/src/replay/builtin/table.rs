//! Tables of words, searched in their text. Nothing is read before the first search, and nothing is
//! allocated.

/// Lines of words, in the order of their first words as bytes. The first word is the key.
pub(super) struct Table<const LINES: usize> {
    text: &'static str,
    /// The positions of the lines.
    starts: [u32; LINES],
}

/// Returns the number of lines of a text.
pub(super) const fn lines(text: &str) -> usize {
    let bytes = text.as_bytes();
    let (mut at, mut count) = (0, 0);
    while at < bytes.len() {
        if bytes[at] == b'\n' {
            count += 1;
        }
        at += 1;
    }
    count
}

/// Returns true if the word at one position follows that at another in the order of bytes.
const fn follows(bytes: &[u8], mut one: usize, mut other: usize) -> bool {
    loop {
        let (a, b) = (bytes[one], bytes[other]);
        if a == b' ' || b == b' ' {
            return a != b' ';
        }
        if a != b {
            return a > b;
        }
        one += 1;
        other += 1;
    }
}

impl<const LINES: usize> Table<LINES> {
    /// Finds the lines of a text, and checks their order, when the program is compiled.
    pub(super) const fn new(text: &'static str) -> Self {
        let bytes = text.as_bytes();
        assert!(bytes.len() <= u32::MAX as usize);
        let mut starts = [0; LINES];
        let (mut at, mut line) = (0, 1);
        while at < bytes.len() {
            at += 1;
            if line < LINES && bytes[at - 1] == b'\n' {
                starts[line] = at as u32;
                assert!(!follows(bytes, starts[line - 1] as usize, at));
                line += 1;
            }
        }
        Self { text, starts }
    }

    /// Returns the other words of the lines with this key.
    pub(super) fn find<const WORDS: usize>(
        &'static self,
        key: &str,
    ) -> impl Iterator<Item = [&'static str; WORDS]> + use<LINES, WORDS> {
        self.find_with_key(key).map(|(_, words)| words)
    }

    /// Returns the lines with this key, with the key.
    pub(super) fn find_with_key<const WORDS: usize>(
        &'static self,
        key: &str,
    ) -> impl Iterator<Item = (&'static str, [&'static str; WORDS])> + use<LINES, WORDS> {
        let from = self.starts.partition_point(|at| self.key_at(*at) < key);
        let rest = &self.starts[from..];
        let same = rest.iter().take_while(|at| self.key_at(**at) == key);
        let starts = rest[..same.count()].iter();
        starts.map(|at| self.words(*at))
    }

    /// Returns all lines: the key and the other words.
    pub(super) fn all<const WORDS: usize>(
        &'static self,
    ) -> impl Iterator<Item = (&'static str, [&'static str; WORDS])> + use<LINES, WORDS> {
        self.starts.iter().map(|at| self.words(*at))
    }

    fn key_at(&self, at: u32) -> &'static str {
        let line = &self.text[at as usize..];
        line.split(' ').next().unwrap_or_default()
    }

    fn words<const WORDS: usize>(&self, at: u32) -> (&'static str, [&'static str; WORDS]) {
        let line = &self.text[at as usize..];
        let mut words = line.lines().next().unwrap_or_default().split(' ');
        let key = words.next().unwrap_or_default();
        (
            key,
            std::array::from_fn(|_| words.next().unwrap_or_default()),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_found_by_their_first_word() {
        const TEXT: &str = "a 1 x\na 2 y\nab 3 z\nb 4 w\n";
        static TABLE: Table<{ lines(TEXT) }> = Table::new(TEXT);
        let find = |key: &str| TABLE.find::<2>(key).collect::<Vec<_>>();
        assert_eq!(find("a"), [["1", "x"], ["2", "y"]]);
        assert_eq!(find("ab"), [["3", "z"]]);
        assert_eq!(find("b"), [["4", "w"]]);
        for missing in ["", "aa", "abc", "c"] {
            assert!(find(missing).is_empty(), "{missing}");
        }
        let keys: Vec<_> = TABLE.all::<2>().map(|(key, _)| key).collect();
        assert_eq!(keys, ["a", "a", "ab", "b"]);
    }
}
