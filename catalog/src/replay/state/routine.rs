//! Renames a function, and updates its callers.

use crate::Name;
use crate::replay::state::State;

impl State {
    /// Renames a function, or moves it to another schema.
    pub(crate) fn move_function(
        &mut self,
        key: &str,
        position: usize,
        change: impl FnOnce(&mut Name),
    ) {
        self.keep_names_of_expressions();
        let before = self.clone();
        let Some(overloads) = self.functions.get_mut(key) else {
            return;
        };
        if position >= overloads.len() {
            return;
        }
        let mut function = overloads.remove(position);
        if overloads.is_empty() {
            self.functions.remove(key);
        }
        let from = function.clone();
        change(&mut function.name);
        let to = function.name.clone();
        if let Some(routine) = &mut function.routine {
            routine.name.clone_from(&to);
        }
        self.add_function(function);
        self.follow_function(&before, &from, &to);
    }
}
