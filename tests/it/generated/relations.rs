//! Views, tables without a key, and schemas other than `public`.

use bowline::{ErrorKind, Page, StatementDsl as _};
use diesel::{ExpressionMethods as _, QueryDsl as _};

use super::roles::{database, new_ticket, person};
use super::tickets::audit::{Event, EventId, EventValues, Unseen};
use super::tickets::relations::workloads;
use super::tickets::{AuditState, Log, LogValues, State, StateTotal, Ticket, Workload};

#[test]
fn a_view_is_read_by_its_key() {
    let (_test, db) = database();
    let (ann, ben) = (person(&db, "ann"), person(&db, "ben"));
    db.run(Ticket::insert(new_ticket(ann.id, "T1")))
        .expect("a ticket");
    let found = db.run(Workload::get(ann.id)).expect("a row");
    assert_eq!((found.tickets, found.last.is_some()), (1, true));
    let found = db.run(Workload::find(ben.id)).expect("a query");
    let found = found.expect("a row");
    assert_eq!((found.tickets, found.last), (0, None));
    let page = db
        .run(Workload::list(Page::after(ann.id, 5)))
        .expect("a list");
    assert_eq!(
        page.iter().map(|row| row.person_id).collect::<Vec<_>>(),
        [ben.id]
    );
    assert_eq!(db.run(Workload::count()).expect("a count"), 2);
    // diesel's own queries read it too.
    let busy = workloads::table.filter(workloads::tickets.gt(0)).count();
    assert_eq!(db.run(busy.one::<i64>()).expect("a count"), 1);
}

#[test]
fn a_materialized_view_is_refreshed() {
    let (_test, db) = database();
    let owner = person(&db, "ann").id;
    db.run(Ticket::insert(new_ticket(owner, "T1")))
        .expect("a ticket");
    assert_eq!(
        db.run(StateTotal::find(State::Open)).expect("a query"),
        None
    );
    db.run(StateTotal::refresh()).expect("a refresh");
    let total = || db.run(StateTotal::get(State::Open)).expect("a row").tickets;
    assert_eq!(total(), 1);
    let work = (
        Ticket::insert(new_ticket(owner, "T2")),
        StateTotal::refresh_concurrently(),
    );
    db.run(work).expect("a refresh with other work");
    assert_eq!(total(), 2);
}

#[test]
fn a_table_without_a_key_is_read_and_written() {
    let (_test, db) = database();
    let new = |line: &'static str| LogValues {
        at: None,
        line: line.into(),
    };
    let first = db.run(Log::insert(new("a"))).expect("a row");
    db.run(Log::insert_many(vec![new("b"), new("c")]))
        .expect("rows");
    assert_eq!(db.run(Log::count()).expect("a count"), 3);
    let rows = db.run(Log::list(9)).expect("rows");
    assert!(rows.len() == 3 && rows.contains(&first));
    assert_eq!(db.run(Log::list(2)).expect("rows").len(), 2);
    let mut session = db.session().expect("a session");
    let columns = super::tickets::relations::log::line;
    let copied = session.copy_in((columns,), [("d",), ("e",)]);
    assert_eq!(copied.expect("a COPY"), 2);
}

#[test]
fn another_schema_has_a_module() {
    let (_test, db) = database();
    let owner = person(&db, "ann").id;
    let ticket = db
        .run(Ticket::insert(new_ticket(owner, "T1")))
        .expect("a ticket")
        .id;
    let new = EventValues {
        id: None,
        ticket_id: ticket,
        state: None,
        was: Some(State::Open),
    };
    let event = db.run(Event::insert(new)).expect("an event");
    assert_eq!(
        (event.state, event.was),
        (AuditState::Unseen, Some(State::Open))
    );
    let events = db.run(Event::list_by_ticket(ticket, Page::first(5)));
    assert_eq!(events.expect("events"), std::slice::from_ref(&event));
    let unseen = db.run(Unseen::list(5)).expect("rows");
    assert_eq!(
        unseen,
        [Unseen {
            event_id: event.id,
            ticket_id: ticket
        }]
    );
    let missing = db
        .run(Event::get(EventId(event.id.0 + 1)))
        .expect_err("no row");
    assert_eq!(missing.kind(), ErrorKind::NotFound);
}

#[test]
fn an_import_gives_ids_that_are_always_generated() {
    let (_test, db) = database();
    let owner = person(&db, "ann").id;
    let ticket = Ticket::insert(new_ticket(owner, "T1"));
    let ticket_id = db.run(ticket).expect("a ticket").id;
    let new = |id: Option<i64>| EventValues {
        id: id.map(EventId),
        ticket_id,
        state: None,
        was: None,
    };
    let ids = |events: &[Event]| events.iter().map(|it| it.id.0).collect::<Vec<_>>();
    let one = db.run(Event::insert(new(Some(700)))).expect("an event");
    let many = vec![new(Some(900)), new(None), new(Some(800))];
    let many = db.run(Event::insert_many(many)).expect("events");
    assert_eq!((one.id, ids(&many)), (EventId(700), vec![900, 1, 800]));
}
