//! Round trips, counted by a proxy between the program and the server.

use std::path::Path;

use bowline::testing::{LocalServer, TestDatabase};
use bowline::{Database, Result};
use testkit::Proxy;
use tracker::db::queries::issues::{self, BoardOrder};
use tracker::db::{Comment, Issue, IssueValues, NewComment, NewIssue};

use crate::{issue, project};

pub(crate) fn counted() -> (Database, Proxy, TestDatabase) {
    let migrations = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations");
    let server = LocalServer::start().unwrap_or_else(|error| panic!("{error}"));
    let database =
        TestDatabase::create(Path::new(migrations)).unwrap_or_else(|error| panic!("{error}"));
    let proxy = Proxy::start(&server).expect("a proxy");
    let db = proxy.config(database.name()).open().expect("a server");
    (db, proxy, database)
}

#[test]
fn fifty_issues_with_labels_and_authors_are_one_trip() -> Result<()> {
    let (db, proxy, _database) = counted();
    let (ann, project) = project(&db)?;
    let new = (1..=60).map(|number| {
        IssueValues::from(NewIssue {
            project_id: project,
            number,
            author_id: ann,
            title: "a".into(),
        })
    });
    db.run(Issue::insert_many(new.collect()))?;
    proxy.take_round_trips();
    let page = BoardOrder::Newest.page(None, 50).expect("the first page");
    let rows = db.run(issues::board(project, None, None, None, page))?;
    assert_eq!((rows.len(), proxy.take_round_trips()), (50, 1));
    Ok(())
}

#[test]
fn a_hundred_thousand_comments_are_three_trips_at_most() -> Result<()> {
    let (db, proxy, _database) = counted();
    let (ann, project) = project(&db)?;
    let issue_id = issue(&db, (ann, project), "a")?;
    let bodies: Vec<String> = (0..100_000).map(|number| number.to_string()).collect();
    let new = bodies.iter().map(|body| NewComment {
        issue_id,
        author_id: ann,
        body: body.into(),
    });
    proxy.take_round_trips();
    let all = db.run(Comment::insert_many(new.collect()))?;
    let trips = proxy.take_round_trips();
    assert!(trips <= 3, "{trips}");
    assert!(all.iter().map(|comment| &comment.body).eq(&bodies));
    Ok(())
}
