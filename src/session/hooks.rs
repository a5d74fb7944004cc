//! Hooks: functions that run once a transaction has been committed or rolled back.

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::thread;

use super::Session;

type Hook = Box<dyn FnOnce() + Send>;

/// The hooks of a session's transactions.
#[derive(Default)]
pub(crate) struct Hooks {
    registered: Vec<Registered>,
    /// Hooks that can run now.
    due: Vec<Hook>,
    /// The depth of the transactions that were open when a `Database` took the session over. The
    /// code that uses the session never ends them, so those within them count as outermost.
    floor: u32,
    /// Whether the `Database` runs the hooks that are due, once the session is returned to the
    /// pool.
    deferred: bool,
    /// Whether the commit was not answered, so that it is unknown which hooks are due.
    unanswered: bool,
}

struct Registered {
    /// The depth of the transaction in which it was registered; once that is committed, the depth
    /// of the transaction around it.
    depth: u32,
    on: On,
    /// Whether its work was rolled back to a savepoint.
    undone: bool,
    hook: Hook,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum On {
    Commit,
    Rollback,
}

impl Hooks {
    /// Leaves the hooks that are due to the `Database`.
    pub(super) fn defer(&mut self) {
        self.deferred = true;
    }

    /// Returns whether there are no hooks, and nobody else runs them.
    pub(super) fn is_unused(&self) -> bool {
        self.registered.is_empty() && self.due.is_empty() && !self.deferred && !self.unanswered
    }

    /// Takes all hooks, to be run elsewhere.
    pub(super) fn take(&mut self) -> Self {
        let floor = self.floor;
        std::mem::replace(
            self,
            Self {
                floor,
                ..Self::default()
            },
        )
    }

    /// Returns whether a transaction of this depth is above the floor.
    pub(super) fn is_above_floor(&self, depth: u32) -> bool {
        depth > self.floor
    }

    fn add(&mut self, depth: u32, on: On, hook: Hook) {
        self.registered.push(Registered {
            depth,
            on,
            undone: false,
            hook,
        });
    }

    /// Notes that a transaction of this depth was committed; of a savepoint, the transaction around
    /// it decides.
    fn committed(&mut self, depth: u32) {
        if depth <= self.floor + 1 {
            return self.end(true);
        }
        for hook in &mut self.registered {
            hook.depth = hook.depth.min(depth - 1);
        }
    }

    /// Notes that a transaction of this depth was rolled back.
    fn rolled_back(&mut self, depth: u32) {
        if depth <= self.floor + 1 {
            return self.end(false);
        }
        for hook in self
            .registered
            .iter_mut()
            .filter(|hook| hook.depth >= depth)
        {
            hook.undone = true;
        }
    }

    /// Notes that the outermost transaction has ended: the hooks for that end are due, in the order
    /// in which they were registered.
    pub(crate) fn end(&mut self, committed: bool) {
        let fits = |registered: &Registered| match registered.on {
            On::Commit => committed && !registered.undone,
            On::Rollback => !committed || registered.undone,
        };
        let registered = std::mem::take(&mut self.registered);
        let due = registered.into_iter().filter(fits);
        self.due.extend(due.map(|registered| registered.hook));
    }

    /// Notes that the commit was not answered: no hook is due until its outcome is known.
    pub(super) fn set_unanswered(&mut self) {
        self.unanswered = true;
    }

    /// Runs the hooks that are due. If one panics, the others run nevertheless; then the panic
    /// continues.
    pub(crate) fn run(self) {
        run(self.due);
    }
}

fn run(hooks: Vec<Hook>) {
    let mut first: Option<Box<dyn Any + Send>> = None;
    for hook in hooks {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(hook)) {
            first.get_or_insert(panic);
        }
    }
    // A panic during another panic would abort the process.
    if let Some(panic) = first.filter(|_| !thread::panicking()) {
        resume_unwind(panic);
    }
}

impl Hooks {
    /// Runs the hooks that are due, unless that is left to the `Database`.
    fn run_due(&mut self) {
        // While a panic unwinds, the `Database` does not get to run them.
        if !self.deferred || thread::panicking() {
            run(std::mem::take(&mut self.due));
        }
    }
}

impl Session {
    /// Makes the transactions that are open now the floor: those within them count as outermost.
    pub(crate) fn set_floor(&mut self, depth: u32) {
        self.transactions.hooks().floor = depth;
    }

    /// Returns how many transactions are open that the code that uses the session never ends.
    pub(crate) fn floor(&mut self) -> u32 {
        self.transactions.hooks().floor
    }

    /// Runs `hook` once the outermost transaction has been committed: for effects that must not
    /// happen earlier, such as a message about it.
    ///
    /// The hook does not run for a savepoint that is rolled back, nor for an attempt that fails and
    /// is retried. It takes no round trip. In
    /// [`Database::transaction`](crate::Database::transaction), hooks run after the session is
    /// returned to the pool, so they may use the database. Their work is not part of the
    /// transaction, and is lost if the process ends in between. If the outcome stays
    /// [`Unknown`](crate::Outcome::Unknown), no hook runs. If a hook panics, the panic continues
    /// once the others have run. Outside of a transaction, the hook runs at once.
    ///
    /// ```
    /// # use bank::{Account, AccountValues};
    /// # use bowline::{Database, Result};
    /// # fn open(db: &Database, new: AccountValues<'static>) -> Result<Account> {
    /// db.transaction(|tx| {
    ///     let account = tx.run(Account::insert(new.clone()))?;
    ///     let username = account.username.clone();
    ///     tx.after_commit(move || println!("welcome, {username}"));
    ///     Ok(account)
    /// })
    /// # }
    /// ```
    pub fn after_commit(&mut self, hook: impl FnOnce() + Send + 'static) {
        if self.transactions.is_in_own() {
            self.register(On::Commit, Box::new(hook));
        } else {
            hook();
        }
    }

    /// Runs `hook` once the outermost transaction has ended, if the work before it was rolled back:
    /// to clean up effects outside of the database.
    ///
    /// It also runs for a savepoint that was rolled back, when the transaction around it is
    /// committed. It runs for each attempt that failed and is retried. Otherwise it is like
    /// [`Session::after_commit`]. Outside of a transaction nothing is rolled back, and the hook is
    /// dropped.
    pub fn after_rollback(&mut self, hook: impl FnOnce() + Send + 'static) {
        if self.transactions.is_in_own() {
            self.register(On::Rollback, Box::new(hook));
        }
    }

    fn register(&mut self, on: On, hook: Hook) {
        let depth = self.transactions.depth();
        self.transactions.hooks().add(depth, on, hook);
    }

    /// Notes that a transaction of this depth was committed.
    pub(super) fn ended_by_commit(&mut self, depth: u32) {
        self.types.search_path().committed(depth);
        let hooks = self.transactions.hooks();
        hooks.committed(depth);
        hooks.run_due();
    }

    /// Notes that a transaction of this depth was rolled back; depth 0 stands for all, lost with
    /// the connection.
    pub(super) fn ended_by_rollback(&mut self, depth: u32) {
        self.types.search_path().rolled_back(depth);
        let hooks = self.transactions.hooks();
        if hooks.unanswered {
            return;
        }
        hooks.rolled_back(depth);
        hooks.run_due();
    }
}

impl fmt::Debug for Hooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hooks")
            .field("registered", &self.registered.len())
            .field("due", &self.due.len())
            .finish_non_exhaustive()
    }
}
