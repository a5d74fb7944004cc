//! Arms of replay and of the checker of queries that a test switched off, to check that others
//! detect it.

use squawk_syntax::SyntaxKind;

#[cfg(test)]
thread_local! {
    static OFF: std::cell::Cell<Option<SyntaxKind>> = const { std::cell::Cell::new(None) };
}

/// Returns true if this arm is switched off, and its nodes are skipped. Only for tests.
#[cfg(test)]
pub(crate) fn is_off(arm: SyntaxKind) -> bool {
    OFF.get() == Some(arm)
}

#[cfg(not(test))]
pub(crate) const fn is_off(_arm: SyntaxKind) -> bool {
    false
}

/// Runs a closure with one arm switched off.
#[cfg(test)]
pub(crate) fn without<T>(arm: Option<SyntaxKind>, work: impl FnOnce() -> T) -> T {
    OFF.set(arm);
    let done = work();
    OFF.set(None);
    done
}
