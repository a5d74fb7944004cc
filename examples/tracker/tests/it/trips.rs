//! Round trips, counted by a proxy between the program and the server.

use std::path::Path;

use bowline::testing::{LocalServer, TestDatabase};
use bowline::{Database, Result};
use testkit::Proxy;
use tracker::db::queries::issues::{self, BoardOrder};
use tracker::db::queries::organisations;
use tracker::db::{
    Attachment, AttachmentValues, Comment, CommentValues, Issue, IssueValues, Label, NewAttachment,
    NewComment, NewIssue, NewLabel, Project,
};

use crate::{issue, project};

fn counted() -> (Database, Proxy, TestDatabase) {
    let migrations = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations");
    let server = LocalServer::start().unwrap_or_else(|error| panic!("{error}"));
    let database =
        TestDatabase::create(Path::new(migrations)).unwrap_or_else(|error| panic!("{error}"));
    let proxy = Proxy::start(&server).expect("a proxy");
    let db = proxy.config(database.name()).open().expect("a server");
    (db, proxy, database)
}

#[test]
fn an_issue_with_all_that_belongs_to_it_is_one_trip() -> Result<()> {
    let (db, proxy, _database) = counted();
    let (ann, project) = project(&db)?;
    let issue_id = issue(&db, (ann, project), "a")?;
    let label = NewLabel {
        project_id: project,
        name: "bug".into(),
    };
    db.run((
        Label::insert(label),
        issues::label(issue_id, &["bug".into()]),
        Comment::insert_many(
            ["yes", "no"]
                .map(|body| {
                    CommentValues::from(NewComment {
                        issue_id,
                        author_id: ann,
                        body: body.into(),
                    })
                })
                .into(),
        ),
        Attachment::insert(AttachmentValues::from(NewAttachment {
            issue_id,
            name: "log".into(),
            content: b"abc".as_slice().into(),
        })),
    ))?;
    proxy.take_round_trips();
    let found = db.run(issues::detail(project, 1))?.expect("the issue");
    assert_eq!(proxy.take_round_trips(), 1);
    assert_eq!(
        (
            found.id,
            &*found.author.display_name,
            &*found.labels[0].name
        ),
        (issue_id, "ann", "bug")
    );
    let bodies: Vec<&str> = found
        .comments
        .iter()
        .map(|it| it.comment.body.as_str())
        .collect();
    assert_eq!(
        (bodies, found.comments[1].author.id),
        (vec!["yes", "no"], ann)
    );
    assert_eq!(
        (&*found.attachments[0].name, found.attachments[0].bytes),
        ("log", 3)
    );
    Ok(())
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
fn three_levels_are_one_trip() -> Result<()> {
    let (db, proxy, _database) = counted();
    let (ann, project) = project(&db)?;
    for title in ["a", "b", "c"] {
        issue(&db, (ann, project), title)?;
    }
    let organisation = db.run(Project::get(project))?.organisation_id;
    proxy.take_round_trips();
    let found = db
        .run(organisations::overview(2, organisation))?
        .expect("it");
    assert_eq!(proxy.take_round_trips(), 1);
    let titles: Vec<&str> = found.projects[0]
        .issues
        .iter()
        .map(|it| it.title.as_str())
        .collect();
    assert_eq!(titles, ["c", "b"]);
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
