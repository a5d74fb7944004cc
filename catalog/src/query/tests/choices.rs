//! The choices that determine a random schema or query.

/// A list of numbers. After the last number each choice is the first option, so a shorter list
/// makes a shorter text.
pub(super) struct Choices {
    values: Vec<u16>,
    at: usize,
}

impl Choices {
    pub(super) fn new(values: &[u16]) -> Self {
        let values = values.to_vec();
        Self { values, at: 0 }
    }

    /// Returns a number below the limit.
    pub(super) fn pick(&mut self, count: usize) -> usize {
        let value = self.values.get(self.at).copied().unwrap_or(0);
        self.at += 1;
        usize::from(value) % count.max(1)
    }

    /// Returns true with this probability in percent, and false after the last number.
    pub(super) fn chance(&mut self, percent: usize) -> bool {
        self.pick(100) >= 100 - percent
    }

    /// Returns one item of the list.
    pub(super) fn of<'t, T>(&mut self, list: &'t [T]) -> &'t T {
        &list[self.pick(list.len())]
    }

    /// Returns some items of the list, in their order.
    pub(super) fn some<T: Clone>(&mut self, list: &[T], percent: usize) -> Vec<T> {
        let chosen = list.iter().filter(|_| self.chance(percent));
        chosen.cloned().collect()
    }
}
