//! Renames a function, and updates its callers.

use crate::Name;
use crate::replay::state::State;

impl State {
    /// Renames a function, or moves it to another schema. A move to its own schema changes nothing.
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
        let Some(from) = overloads.get(position).cloned() else {
            return;
        };
        let mut function = from.clone();
        change(&mut function.name);
        if function.name == from.name {
            return;
        }
        overloads.remove(position);
        if overloads.is_empty() {
            self.functions.remove(key);
        }
        let to = function.name.clone();
        if let Some(routine) = &mut function.routine {
            routine.name.clone_from(&to);
        }
        self.add_function(function);
        self.follow_function(&before, &from, &to);
    }
}
