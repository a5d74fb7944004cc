//! The choices of which a random schema or query is made.

/// A list of numbers. Once they are used up each choice is the first one, so that a shorter list
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

    /// Returns a number below this one.
    pub(super) fn pick(&mut self, count: usize) -> usize {
        let value = self.values.get(self.at).copied().unwrap_or(0);
        self.at += 1;
        usize::from(value) % count.max(1)
    }

    /// Returns true in so many of a hundred cases, and false once the numbers are used up.
    pub(super) fn chance(&mut self, percent: usize) -> bool {
        self.pick(100) >= 100 - percent
    }

    /// Returns one of the list.
    pub(super) fn of<'t, T>(&mut self, list: &'t [T]) -> &'t T {
        &list[self.pick(list.len())]
    }

    /// Returns some of the list, in its order.
    pub(super) fn some<T: Clone>(&mut self, list: &[T], percent: usize) -> Vec<T> {
        let chosen = list.iter().filter(|_| self.chance(percent));
        chosen.cloned().collect()
    }
}
