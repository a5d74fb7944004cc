//! Arms of replay that a test has switched off, to see that its histories notice.

use squawk_syntax::SyntaxKind;

#[cfg(test)]
thread_local! {
    static OFF: std::cell::Cell<Option<SyntaxKind>> = const { std::cell::Cell::new(None) };
}

/// Whether this arm does nothing, and its nodes are not seen; only in tests.
#[cfg(test)]
pub(crate) fn is_off(arm: SyntaxKind) -> bool {
    OFF.get() == Some(arm)
}

#[cfg(not(test))]
pub(crate) const fn is_off(_arm: SyntaxKind) -> bool {
    false
}

/// Works with one arm of replay off.
#[cfg(test)]
pub(crate) fn without<T>(arm: Option<SyntaxKind>, work: impl FnOnce() -> T) -> T {
    OFF.set(arm);
    let done = work();
    OFF.set(None);
    done
}
