//! Many callers at a time.

use super::calls::{tpcb_affected, tpcb_exactly, tpcb_interactive};
use super::open;
use crate::crowd::Crowd;
use crate::db::{User, UserId};
use crate::target::Target;

fn pool(target: &Target, sessions: usize) -> ::bowline::Database {
    open(target, sessions as u32)
}

pub fn checkout() -> Vec<Crowd> {
    vec![Crowd::threads("bowline", pool, |db, _| {
        drop(db.session().expect("a session"));
    })]
}

pub fn find() -> Vec<Crowd> {
    vec![Crowd::threads("bowline", pool, |db, draw| {
        let found = db.run(User::find(UserId(draw.user)));
        assert!(found.expect("an answer").is_some());
    })]
}

#[cfg(feature = "asynchronous")]
pub fn task_find() -> Vec<Crowd> {
    let open = |target: &Target, sessions| pool(target, sessions).into_async();
    vec![Crowd::tasks("bowline", open, |db, draw| async move {
        let found = db.run(User::find(UserId(draw.user))).await;
        assert!(found.expect("an answer").is_some());
    })]
}

#[cfg(not(feature = "asynchronous"))]
pub fn task_find() -> Vec<Crowd> {
    Vec::new()
}

pub fn tpcb() -> Vec<Crowd> {
    vec![
        Crowd::threads("bowline affected", pool, |db, draw| {
            db.run(tpcb_affected(draw.tpcb)).expect("an answer");
        }),
        Crowd::threads("bowline exactly(1)", pool, |db, draw| {
            db.run(tpcb_exactly(draw.tpcb)).expect("an answer");
        }),
        Crowd::threads("bowline transaction", pool, |db, draw| {
            tpcb_interactive(db, draw.tpcb).expect("an answer");
        }),
    ]
}
