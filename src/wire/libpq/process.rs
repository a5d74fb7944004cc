//! The id of this process, without a system call each time.
#![expect(unsafe_code, reason = "the C interface of fork handlers")]

use std::ffi::c_int;
use std::process;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

unsafe extern "C" {
    /// Registers functions that `fork` calls (POSIX).
    fn pthread_atfork(
        prepare: Option<unsafe extern "C" fn()>,
        parent: Option<unsafe extern "C" fn()>,
        child: Option<unsafe extern "C" fn()>,
    ) -> c_int;
}

/// The id of this process; 0 if it is not known.
static KNOWN: AtomicU32 = AtomicU32::new(0);

/// Returns the id of this process, which is another one in a child.
#[inline]
pub(crate) fn process_id() -> u32 {
    match KNOWN.load(Ordering::Relaxed) {
        0 => ask(),
        known => known,
    }
}

#[cold]
fn ask() -> u32 {
    static FORGETS: AtomicBool = AtomicBool::new(false);
    let id = process::id();
    // Two threads may register the function twice, which does no harm.
    // SAFETY: the function may run in any thread of a child: it stores a number.
    if FORGETS.load(Ordering::Relaxed) || unsafe { pthread_atfork(None, None, Some(forget)) } == 0 {
        FORGETS.store(true, Ordering::Relaxed);
        KNOWN.store(id, Ordering::Relaxed);
    }
    id
}

unsafe extern "C" fn forget() {
    KNOWN.store(0, Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;

    unsafe extern "C" {
        fn fork() -> c_int;
        fn _exit(status: c_int) -> !;
    }

    #[test]
    fn a_child_has_another_id() {
        assert_eq!(process_id(), process::id());
        // SAFETY: the child calls nothing that another thread's lock could stop.
        let child = unsafe { fork() };
        if child == 0 {
            let is_its_own = process_id() == process::id();
            // SAFETY: ends the child without the parent's exit handlers.
            unsafe { _exit(if is_its_own { 0 } else { 1 }) };
        }
        let child = rustix::process::Pid::from_raw(child).expect("a child");
        let ended = rustix::process::waitpid(Some(child), rustix::process::WaitOptions::empty());
        let (_, status) = ended.expect("it ends").expect("it has ended");
        assert_eq!(status.exit_status(), Some(0));
        assert_eq!(process_id(), process::id());
    }
}
