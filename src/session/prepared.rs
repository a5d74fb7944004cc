//! Which statements the server has prepared for this session.
//!
//! A bounded least recently used set, so that a program that makes ever new SQL does not fill the
//! server's memory. It follows what the server confirmed: a name counts once the server has answered,
//! and is closed until the server has said so.

use std::collections::HashMap;
use std::ffi::{CStr, CString};
use std::sync::Arc;

/// Statements that a session has prepared.
#[derive(Debug)]
pub(crate) struct Prepared {
    statements: HashMap<(Arc<str>, Vec<u32>), Statement>,
    /// Dropped here, but not yet on the server.
    to_close: Vec<Arc<CStr>>,
    capacity: usize,
    /// The capacity that was asked for, to come back to.
    full: usize,
    clock: u64,
    named: u64,
}

#[derive(Debug)]
struct Statement {
    name: Arc<CStr>,
    used: u64,
    confirmed: bool,
}

/// How a command is to be sent.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Plan {
    /// The server knows the name, or will when it gets there.
    Known(Arc<CStr>),
    /// To be prepared under this name first.
    New(Arc<CStr>),
}

impl Prepared {
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            statements: HashMap::new(),
            to_close: Vec::new(),
            capacity,
            full: capacity,
            clock: 0,
            named: 0,
        }
    }

    /// A name for the statement; the least recently used one makes room.
    pub(crate) fn plan(&mut self, sql: &Arc<str>, types: &[u32]) -> Plan {
        self.clock += 1;
        let key = (Arc::clone(sql), types.to_vec());
        if let Some(statement) = self.statements.get_mut(&key) {
            statement.used = self.clock;
            return Plan::Known(Arc::clone(&statement.name));
        }
        if self.statements.len() >= self.capacity {
            self.evict();
        }
        self.named += 1;
        let name: Arc<CStr> = CString::new(format!("bowline_{}", self.named))
            .expect("letters and digits hold no NUL")
            .into();
        self.statements.insert(
            key,
            Statement {
                name: Arc::clone(&name),
                used: self.clock,
                confirmed: false,
            },
        );
        Plan::New(name)
    }

    /// Whether statements are named at all.
    pub(crate) fn is_on(&self) -> bool {
        self.capacity > 0
    }

    /// Turns naming on or off; off, those that were named are closed.
    pub(crate) fn turn(&mut self, on: bool) {
        self.capacity = if on { self.full } else { 0 };
        while self.statements.len() > self.capacity {
            self.evict();
        }
    }

    /// The names to close along with the next pipeline.
    pub(crate) fn to_close(&self) -> &[Arc<CStr>] {
        &self.to_close
    }

    /// Takes over what the server confirmed, and forgets what it did not.
    pub(crate) fn settle(&mut self, prepared: &[Arc<CStr>], closed: &[Arc<CStr>]) {
        self.to_close.retain(|name| !closed.contains(name));
        for statement in self
            .statements
            .values_mut()
            .filter(|statement| !statement.confirmed)
        {
            statement.confirmed = prepared.contains(&statement.name);
        }
        self.statements.retain(|_, statement| statement.confirmed);
    }

    /// Forgets all, because the server no longer knows or no longer accepts them.
    pub(crate) fn forget_all(&mut self) {
        let names = self.statements.drain().map(|(_, statement)| statement.name);
        self.to_close.extend(names);
    }

    /// The server closed all of them itself.
    pub(crate) fn vanished(&mut self) {
        self.statements.clear();
        self.to_close.clear();
    }

    fn evict(&mut self) {
        // A scan, because it happens once for a statement that is new, which costs the server far more.
        let oldest = self
            .statements
            .iter()
            .min_by_key(|(_, statement)| statement.used)
            .map(|(key, _)| key.clone());
        if let Some(statement) = oldest.and_then(|key| self.statements.remove(&key)) {
            self.to_close.push(statement.name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(prepared: &Prepared) -> Vec<&std::ffi::CStr> {
        prepared.to_close().iter().map(AsRef::as_ref).collect()
    }

    #[test]
    fn the_least_recently_used_statement_makes_room_and_is_closed() {
        let mut prepared = Prepared::new(2);
        let (a, b, c): (Arc<str>, Arc<str>, Arc<str>) = ("a".into(), "b".into(), "c".into());
        assert_eq!(prepared.plan(&a, &[]), Plan::New(c"bowline_1".into()));
        assert_eq!(prepared.plan(&b, &[]), Plan::New(c"bowline_2".into()));
        assert_eq!(prepared.plan(&a, &[]), Plan::Known(c"bowline_1".into()));
        assert_eq!(prepared.plan(&c, &[]), Plan::New(c"bowline_3".into()));
        assert_eq!(names(&prepared), [c"bowline_2"]);
        prepared.settle(&[], &[c"bowline_2".into()]);
        assert!(names(&prepared).is_empty());
    }

    #[test]
    fn a_statement_that_the_server_did_not_confirm_is_prepared_again() {
        let mut prepared = Prepared::new(2);
        let a: Arc<str> = "a".into();
        prepared.plan(&a, &[]);
        prepared.settle(&[], &[]);
        assert_eq!(prepared.plan(&a, &[]), Plan::New(c"bowline_2".into()));
        prepared.settle(&[c"bowline_2".into()], &[]);
        assert_eq!(prepared.plan(&a, &[]), Plan::Known(c"bowline_2".into()));
    }

    #[test]
    fn the_same_sql_with_other_types_is_another_statement() {
        let mut prepared = Prepared::new(2);
        let a: Arc<str> = "a".into();
        assert_eq!(prepared.plan(&a, &[20]), Plan::New(c"bowline_1".into()));
        assert_eq!(prepared.plan(&a, &[25]), Plan::New(c"bowline_2".into()));
    }
}
