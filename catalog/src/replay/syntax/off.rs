//! A switch for tests: replay and the checker of queries ignore the syntax nodes of one kind. A
//! test checks that the comparison with PostgreSQL then fails.

use squawk_syntax::SyntaxKind;

#[cfg(test)]
thread_local! {
    static OFF: std::cell::Cell<Option<SyntaxKind>> = const { std::cell::Cell::new(None) };
}

/// Returns true if a test has switched off this kind of node. The caller ignores such nodes then.
#[cfg(test)]
pub(crate) fn is_off(arm: SyntaxKind) -> bool {
    OFF.get() == Some(arm)
}

#[cfg(not(test))]
pub(crate) const fn is_off(_arm: SyntaxKind) -> bool {
    false
}

/// Runs a closure with one kind of node switched off, or none.
#[cfg(test)]
pub(crate) fn without<T>(arm: Option<SyntaxKind>, work: impl FnOnce() -> T) -> T {
    OFF.set(arm);
    let done = work();
    OFF.set(None);
    done
}
