//! Renames a function, and updates its callers.

use std::collections::BTreeMap;

use crate::Name;
use crate::replay::state::State;

impl State {
    /// Renames a function, or moves it to another schema.
    ///
    /// `forms_called` infers which overload each call in an expression means, by the position of
    /// the call.
    pub(crate) fn move_form(
        &mut self,
        key: &str,
        place: usize,
        change: impl FnOnce(&mut Name),
        forms_called: impl Fn(&Self, &str, Option<&Name>) -> BTreeMap<usize, usize>,
    ) {
        let before = self.clone();
        let Some(forms) = self.functions.get_mut(key) else {
            return;
        };
        if place >= forms.len() {
            return;
        }
        self.version_of_functions += 1;
        let mut form = forms.remove(place);
        if forms.is_empty() {
            self.functions.remove(key);
        }
        let from = form.name.clone();
        change(&mut form.name);
        let to = form.name.clone();
        if let Some(routine) = &mut form.routine {
            routine.name.clone_from(&to);
        }
        // The number of arguments decides which overload a call means, or else their types.
        let others = self.functions.get(key).cloned().unwrap_or_default();
        let own = form.clone();
        self.functions
            .entry(to.name.clone())
            .or_default()
            .push(form);
        let runs_triggers = own.argument_types.is_empty();
        self.follow_function(&from, &to, runs_triggers, |text, table, start, count| {
            let is_clear = !others.iter().any(|other| other.takes(count));
            own.takes(count)
                && (is_clear || forms_called(&before, text, table).get(&start) == Some(&place))
        });
    }
}
