//! Renames a function, and updates its callers.

use std::collections::BTreeMap;

use crate::Name;
use crate::replay::state::State;

impl State {
    /// Renames a function, or moves it to another schema.
    ///
    /// `overloads_called` infers which overload each call in an expression means, by the position of
    /// the call.
    pub(crate) fn move_function(
        &mut self,
        key: &str,
        position: usize,
        change: impl FnOnce(&mut Name),
        overloads_called: impl Fn(&Self, &str, Option<&Name>) -> BTreeMap<usize, usize>,
    ) {
        let before = self.clone();
        let Some(overloads) = self.functions.get_mut(key) else {
            return;
        };
        if position >= overloads.len() {
            return;
        }
        self.version_of_functions += 1;
        let mut overload = overloads.remove(position);
        if overloads.is_empty() {
            self.functions.remove(key);
        }
        let from = overload.name.clone();
        change(&mut overload.name);
        let to = overload.name.clone();
        if let Some(routine) = &mut overload.routine {
            routine.name.clone_from(&to);
        }
        // The number of arguments decides which overload a call means, or else their types.
        let others = self.functions.get(key).cloned().unwrap_or_default();
        let function = overload.clone();
        self.functions
            .entry(to.name.clone())
            .or_default()
            .push(overload);
        let runs_triggers = function.argument_types.is_empty();
        self.follow_function(&from, &to, runs_triggers, |text, table, start, count| {
            let is_clear = !others.iter().any(|other| other.takes(count));
            function.takes(count)
                && (is_clear
                    || overloads_called(&before, text, table).get(&start) == Some(&position))
        });
    }
}
