//! Columns with a role: the version of a row, and the times of its deletion and of its last change.
//! Also the settings for JSON and lists.

use std::path::Path;

use bowline::testing::TestDatabase;
use bowline::{Database, ErrorKind, Page, StatementDsl as _};
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::pg::{Pg, PgValue};
use diesel::serialize::{self, Output, ToSql};
use diesel::sql_types::Text;
use diesel::{ExpressionMethods as _, QueryDsl as _};
use serde::{Deserialize, Serialize};

use super::tickets::schema::tickets;
use super::tickets::{
    ListedTicket, Person, PersonChanges, PersonId, PersonValues, State, Ticket, TicketChanges,
    TicketConstraint, TicketValues,
};

/// An address: a column type that a setting names.
#[derive(Debug, Clone, PartialEq, Eq, FromSqlRow, Serialize, Deserialize)]
#[allow(unreachable_pub, reason = "generated code, which is public, names it")]
pub struct Email(pub(crate) String);

impl FromSql<Text, Pg> for Email {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        <String as FromSql<Text, Pg>>::from_sql(value).map(Self)
    }
}

impl ToSql<Text, Pg> for Email {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        <String as ToSql<Text, Pg>>::to_sql(&self.0, out)
    }
}

pub(crate) fn database() -> (TestDatabase, Database) {
    let migrations = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tickets/migrations");
    let test =
        TestDatabase::create(Path::new(migrations)).unwrap_or_else(|error| panic!("{error}"));
    let db = test.config().open().expect("a database");
    (test, db)
}

pub(crate) fn person(db: &Database, email: &str) -> Person {
    let new = PersonValues {
        email: Email(email.to_owned()),
        full_name: None,
        password_hash: "secret".into(),
    };
    db.run(Person::insert(new)).expect("a person")
}

pub(crate) fn new_ticket(owner_id: PersonId, code: &str) -> TicketValues<'_> {
    TicketValues {
        owner_id,
        code: code.into(),
        title: "a title".into(),
        body: Some("a body".into()),
        state: None,
    }
}

fn title(title: &str) -> TicketChanges<'_> {
    TicketChanges {
        title: Some(title.into()),
        ..Default::default()
    }
}

#[test]
fn an_update_of_a_changed_row_fails() {
    let (_test, db) = database();
    let owner = person(&db, "a").id;
    let read = db
        .run(Ticket::insert(new_ticket(owner, "T1")))
        .expect("a ticket");
    assert_eq!(read.version, 1);
    let changed = db
        .run(Ticket::update(read.id, 1, title("first")))
        .expect("an update");
    assert_eq!((changed.version, changed.title.as_str()), (2, "first"));

    let late = db
        .run(Ticket::update(read.id, 1, title("second")))
        .expect_err("it is late");
    assert_eq!(late.kind(), ErrorKind::VersionChanged);
    assert_eq!(
        late.message(),
        "the row was changed since it was read: it has version 2 now"
    );
    // Without changes, the version is compared too.
    let nothing = TicketChanges::default;
    let late = db
        .run(Ticket::update(read.id, 1, nothing()))
        .expect_err("it is late");
    assert_eq!(late.kind(), ErrorKind::VersionChanged);
    let same = db
        .run(Ticket::update(read.id, 2, nothing()))
        .expect("nothing to change");
    assert_eq!(same, changed);

    let id = read.id.0 + 1;
    let missing = db
        .run(Ticket::update(id.into(), 1, title("none")))
        .expect_err("no row");
    assert_eq!(missing.kind(), ErrorKind::NotFound);
}

#[test]
fn work_with_a_late_update_is_not_committed() {
    let (_test, db) = database();
    let owner = person(&db, "a").id;
    let read = db
        .run(Ticket::insert(new_ticket(owner, "T1")))
        .expect("a ticket");
    db.run(Ticket::update(read.id, 1, title("first")))
        .expect("an update");
    let work = (
        Ticket::insert(new_ticket(owner, "T2")),
        Ticket::update(read.id, 1, title("second")),
    );
    let late = db.run(work).expect_err("it is late");
    assert_eq!(late.kind(), ErrorKind::VersionChanged);
    assert_eq!(db.run(Ticket::count()).expect("a count"), 1);
}

#[test]
fn deleted_rows_are_passed_over() {
    let (_test, db) = database();
    let owner = person(&db, "a").id;
    let ticket = db
        .run(Ticket::insert(new_ticket(owner, "T1")))
        .expect("a ticket");
    let other = db
        .run(Ticket::insert(new_ticket(owner, "T2")))
        .expect("a ticket");
    let id = ticket.id;
    assert!(db.run(Ticket::delete(id)).expect("a delete"));
    assert!(!db.run(Ticket::delete(id)).expect("it is deleted"));

    assert_eq!(db.run(Ticket::find(id)).expect("a query"), None);
    assert_eq!(db.run(Ticket::find_by_code("T1")).expect("a query"), None);
    assert!(!db.run(Ticket::exists(id)).expect("a query"));
    assert_eq!(db.run(Ticket::count()).expect("a count"), 1);
    let ids = |rows: Vec<ListedTicket>| rows.iter().map(|row| row.id).collect::<Vec<_>>();
    let listed = db.run(Ticket::list(Page::first(9))).expect("a list");
    assert_eq!(ids(listed), [other.id]);
    let listed = db.run(Ticket::list_by_owner(owner, Page::first(9)));
    assert_eq!(ids(listed.expect("a list")), [other.id]);
    let updated = db
        .run(Ticket::update(id, 2, title("x")))
        .expect_err("it is deleted");
    assert_eq!(updated.kind(), ErrorKind::NotFound);

    let deleted = db.run(Ticket::find_deleted(id)).expect("a query");
    let deleted = deleted.expect("it is marked");
    assert!(deleted.deleted_at.is_some() && deleted.version == 2);
    let listed = db
        .run(Ticket::list_deleted(Page::first(9)))
        .expect("a list");
    assert_eq!(ids(listed), [id]);

    // The code of the deleted row can be used again.
    let upserted = db
        .run(Ticket::upsert_by_code(new_ticket(owner, "T1"), title("x")))
        .expect("an upsert");
    assert_ne!(upserted.id, id);
    let restored = db.run(Ticket::restore(id)).expect_err("the code is in use");
    assert_eq!(
        restored.constraint::<TicketConstraint>(),
        Some(TicketConstraint::CodeKey)
    );
    assert!(
        db.run(Ticket::delete_permanently(upserted.id))
            .expect("a delete")
    );
    assert!(db.run(Ticket::restore(id)).expect("it exists again"));
    assert!(!db.run(Ticket::restore(id)).expect("it exists"));
    assert_eq!(db.run(Ticket::get(id)).expect("a ticket").code, "T1");
    assert!(db.run(Ticket::delete_permanently(id)).expect("a delete"));
    let rows = tickets::table.count().one::<i64>();
    assert_eq!(db.run(rows).expect("a count"), 1);
}

#[test]
fn each_write_sets_the_time_of_the_last_change() {
    let (_test, db) = database();
    let owner = person(&db, "a").id;
    let inserted = db
        .run(Ticket::insert(new_ticket(owner, "T1")))
        .expect("a ticket");
    let updated = db
        .run(Ticket::update(inserted.id, 1, title("x")))
        .expect("an update");
    assert!(updated.changed > inserted.changed);
    let upserted = db.run(Ticket::upsert_by_code(new_ticket(owner, "T1"), title("y")));
    let upserted = upserted.expect("an upsert");
    assert_eq!((upserted.id, upserted.version), (inserted.id, 3));
    assert!(upserted.changed > updated.changed);
    db.run(Ticket::delete(inserted.id)).expect("a delete");
    let deleted = db.run(Ticket::find_deleted(inserted.id)).expect("a query");
    assert!(deleted.expect("it is marked").changed > upserted.changed);
}

#[test]
fn a_list_lacks_the_columns_that_a_setting_names() {
    let (_test, db) = database();
    let owner = person(&db, "a").id;
    let ticket = db
        .run(Ticket::insert(new_ticket(owner, "T1")))
        .expect("a ticket");
    assert_eq!(ticket.body.as_deref(), Some("a body"));
    let listed = db.run(Ticket::list(Page::first(1))).expect("a list");
    let ListedTicket {
        id, code, state, ..
    } = &listed[0];
    assert_eq!((*id, code.as_str(), *state), (ticket.id, "T1", State::Open));
    let json = serde_json::to_value(&listed[0]).expect("JSON");
    assert!(json.get("body").is_none() && json.get("title").is_some());
    // diesel's own queries read it too.
    let rows = tickets::table.filter(tickets::code.eq("T1"));
    let rows = rows.select(<ListedTicket as diesel::SelectableHelper<Pg>>::as_select());
    assert_eq!(db.run(rows.all::<ListedTicket>()).expect("rows"), listed);
}

#[test]
fn json_follows_the_settings() {
    let (_test, db) = database();
    let row = person(&db, "a@b");
    let json = serde_json::to_value(&row).expect("JSON");
    let expected = serde_json::json!({ "id": row.id, "mail": "a@b", "fullName": null });
    assert_eq!(json, expected);

    let changes = |json: &str| serde_json::from_str::<PersonChanges<'_>>(json);
    let read = changes(r#"{"fullName": null, "passwordHash": "x"}"#).expect("changes");
    assert_eq!(read.full_name, Some(None));
    let null = changes(r#"{"passwordHash": null}"#).expect_err("a column that is NOT NULL");
    assert!(null.to_string().starts_with("invalid type: null"));
    let misspelled = changes(r#"{"full_name": "x"}"#).expect_err("an unknown field");
    assert!(
        misspelled
            .to_string()
            .starts_with("unknown field `full_name`")
    );
    let new = r#"{"mail": "a", "passwordHash": "x", "id": 7}"#;
    let unknown = serde_json::from_str::<PersonValues<'_>>(new).expect_err("an unknown field");
    assert!(unknown.to_string().starts_with("unknown field `id`"));
}

#[test]
fn a_column_has_the_type_of_a_setting() {
    let (_test, db) = database();
    let email = Email("a@b".to_owned());
    let row = person(&db, "a@b");
    assert_eq!(row.email, email);
    let found = db.run(Person::find_by_email(&email)).expect("a query");
    assert_eq!(found, Some(row));
}
