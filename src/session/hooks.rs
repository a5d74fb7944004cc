//! What is to be done once a transaction has ended, one way or the other.

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
    /// Hooks whose time has come.
    due: Vec<Hook>,
    /// How deep the transactions are that belong to whoever made the session, and not to the code that uses it.
    floor: u32,
    /// Whether somebody else runs what is due, once the session has gone back.
    deferred: bool,
    /// The commit was not answered, so nobody knows which are due.
    unanswered: bool,
}

struct Registered {
    /// Of the transaction it was registered in; that of the one around it once that has ended.
    depth: u32,
    on: On,
    /// Whether what it stands for was undone by a savepoint.
    undone: bool,
    hook: Hook,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum On {
    Commit,
    Rollback,
}

impl Hooks {
    pub(super) fn defer(&mut self) {
        self.deferred = true;
    }

    /// Hands all over to whoever runs them; this is empty then.
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

    /// A transaction of this depth was committed; if it is a savepoint, what is around it decides.
    pub(super) fn committed(&mut self, depth: u32) {
        if depth <= self.floor + 1 {
            return self.end(true);
        }
        for hook in &mut self.registered {
            hook.depth = hook.depth.min(depth - 1);
        }
    }

    /// A transaction of this depth was rolled back.
    pub(super) fn rolled_back(&mut self, depth: u32) {
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

    /// The outermost transaction has ended: those are due, in the order in which they were registered, that fit.
    pub(crate) fn end(&mut self, committed: bool) {
        let fits = |registered: &Registered| match registered.on {
            On::Commit => committed && !registered.undone,
            On::Rollback => !committed || registered.undone,
        };
        let registered = std::mem::take(&mut self.registered);
        let due = registered.into_iter().filter(fits);
        self.due.extend(due.map(|registered| registered.hook));
    }

    pub(super) fn set_unanswered(&mut self) {
        self.unanswered = true;
    }

    /// Runs what is due. If one panics the others run all the same; then the panic goes on.
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
    // One panic on top of another would end the process.
    if let Some(panic) = first.filter(|_| !thread::panicking()) {
        resume_unwind(panic);
    }
}

impl Session {
    /// The transactions that are open now are never ended by the code that uses the session: those within them count as
    /// outermost.
    pub(crate) fn set_floor(&mut self, depth: u32) {
        self.transactions.hooks.floor = depth;
    }

    /// Runs `hook` once the outermost transaction has been committed: for what must not happen before, such as sending a
    /// message about it.
    ///
    /// Never for a savepoint that is rolled back, nor for an attempt that fails and is tried again. It takes no round
    /// trip. In [`Database::transaction`](crate::Database::transaction) hooks run when the session has gone back to the
    /// pool, so they may use the database; what they do is not part of the transaction, and is lost if the process ends
    /// in between. If the outcome stays [`Unknown`](crate::Outcome::Unknown), no hook runs at all. A panic of a hook
    /// goes on once the others have run. Outside of a transaction there is nothing to wait for: it runs at once.
    ///
    /// ```
    /// # use bowline::bank::{Account, NewAccount};
    /// # use bowline::{Database, Result};
    /// # fn open(db: &Database, new: NewAccount<'static>) -> Result<Account> {
    /// db.transaction(|tx| {
    ///     let account = tx.run(Account::insert(new.clone()))?;
    ///     let username = account.username.clone();
    ///     tx.after_commit(move || println!("welcome, {username}"));
    ///     Ok(account)
    /// })
    /// # }
    /// ```
    pub fn after_commit(&mut self, hook: impl FnOnce() + Send + 'static) {
        if self.is_in_own_transaction() {
            self.register(On::Commit, Box::new(hook));
        } else {
            hook();
        }
    }

    /// Runs `hook` once the outermost transaction has ended, if what was done since is not in the database: to clean up
    /// what was made elsewhere.
    ///
    /// It runs too for a savepoint that was rolled back, when the transaction around it is committed; and for each
    /// attempt that failed and is tried again. Otherwise as [`Session::after_commit`]; outside of a transaction nothing
    /// is ever rolled back, and it is dropped.
    pub fn after_rollback(&mut self, hook: impl FnOnce() + Send + 'static) {
        if self.is_in_own_transaction() {
            self.register(On::Rollback, Box::new(hook));
        }
    }

    /// Whether a transaction is open that is not of whoever made the session, or was until the connection was lost.
    fn is_in_own_transaction(&self) -> bool {
        self.transactions.is_broken() || self.transactions.depth() > self.transactions.hooks.floor
    }

    fn register(&mut self, on: On, hook: Hook) {
        let depth = self.transactions.depth();
        self.transactions.hooks.registered.push(Registered {
            depth,
            on,
            undone: false,
            hook,
        });
    }

    /// A transaction of this depth was committed: what is due is run, unless that is left to others.
    pub(super) fn ended_by_commit(&mut self, depth: u32) {
        self.search_path.committed(depth);
        self.transactions.hooks.committed(depth);
        self.run_due_hooks();
    }

    /// The same for one that was rolled back; depth 0 stands for all, gone with the connection.
    pub(super) fn ended_by_rollback(&mut self, depth: u32) {
        self.search_path.rolled_back(depth);
        if self.transactions.hooks.unanswered {
            return;
        }
        self.transactions.hooks.rolled_back(depth);
        self.run_due_hooks();
    }

    fn run_due_hooks(&mut self) {
        // While a panic passes through, nobody else will.
        if !self.transactions.hooks.deferred || thread::panicking() {
            run(std::mem::take(&mut self.transactions.hooks.due));
        }
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
