//! What each need of the tracker has to do, whichever library does it.
//!
//! A package includes this file, and has the needs as functions of the same names. Results are
//! compared as the JSON that the tracker would send.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde::Serialize;
use serde_json::{Value, json};

use crate::issues::{BoardOrder, Filter, IssueChanges};
use crate::rows::{Email, IssueStatus, Settings};

type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Returns the JSON of a result.
fn json(result: impl Serialize) -> Value {
    serde_json::to_value(result).expect("JSON")
}

/// Returns one field of each row.
fn each(rows: &Value, field: &str) -> Vec<Value> {
    let rows = rows.as_array().expect("rows");
    rows.iter().map(|row| row[field].clone()).collect()
}

/// What the needs start from.
struct Start {
    organisation: i64,
    ann: i64,
    ben: i64,
    project: i64,
}

/// Checks all needs, on an empty database.
pub(crate) async fn all(db: crate::Db) -> Result {
    let start = tables(&db).await?;
    let issues = columns(&db, &start).await?;
    labels_and_graphs(&db, &start, &issues).await?;
    queries(&db, &start, &issues).await?;
    writes(&db, &start, &issues).await?;
    jobs(&db).await?;
    println!("all needs are served");
    Ok(())
}

async fn tables(db: &crate::Db) -> Result<Start> {
    let settings = Settings {
        public: true,
        close_after_days: Some(30),
    };
    let organisation = need!(db, needs::insert_organisation("acme", &settings))?;
    let (id, organisation) = (organisation.id, json(&organisation));
    assert_eq!(
        organisation["settings"],
        json!({"public": true, "close_after_days": 30})
    );
    let email = |name: &str| Email(format!("{name}@example.com"));
    let ann = need!(db, needs::insert_user(&email("ann"), "ann"))?;
    let ben = need!(db, needs::insert_user(&email("ben"), "ben"))?;
    let found = need!(db, needs::find_user_by_email(&email("ANN")))?.expect("ann");
    assert_eq!((found.id, &found.email), (ann.id, &email("ann")));
    assert!(found.password_hash.is_none());
    let shown = json(&found);
    assert!(shown.get("password_hash").is_none(), "{shown}");

    let project = need!(db, needs::insert_project(id, "rocket"))?;
    let found = need!(db, needs::find_project(project.id))?.expect("the project");
    assert_eq!(json(&found), json(&project));
    assert!(need!(db, needs::find_project(0))?.is_none());
    let upserted = need!(db, needs::upsert_project(id, "rocket", 7))?;
    assert_eq!((upserted.id, upserted.last_number), (project.id, 7));
    let other = need!(db, needs::upsert_project(id, "engine", 0))?;
    let all = json(need!(db, needs::projects_of(id, 0, 1))?);
    assert_eq!(each(&all, "name"), ["rocket"]);
    let rest = json(need!(db, needs::projects_of(id, project.id, 9))?);
    assert_eq!(each(&rest, "id"), [json!(other.id)]);

    need!(db, needs::insert_membership(id, ben.id, "member"))?;
    need!(db, needs::insert_membership(id, ann.id, "owner"))?;
    let found = need!(db, needs::membership(id, ann.id))?.expect("a member");
    assert_eq!(found.role, "owner");
    let members = json(need!(db, needs::members(id))?);
    assert_eq!(each(&members, "role"), ["owner", "member"]);
    assert_eq!(members[0]["member"]["email"], "ann@example.com");
    assert!(members[0]["member"].get("password_hash").is_none());

    let event = need!(db, needs::insert_event(ann.id, "sign in"))?;
    let found = need!(db, needs::find_event(event.id))?.expect("the event");
    assert_eq!(
        (found.user_id, found.action.as_str()),
        (Some(ann.id), "sign in")
    );
    Ok(Start {
        organisation: id,
        ann: ann.id,
        ben: ben.id,
        project: project.id,
    })
}

/// Opens issues, numbers 8 to 10, and inserts one with all columns, number 100.
async fn columns(db: &crate::Db, start: &Start) -> Result<Vec<i64>> {
    let mut issues = Vec::new();
    for (title, number) in [
        ("the engine leaks", 8),
        ("the tank is empty", 9),
        ("the engine is loud", 10),
    ] {
        let opened = need!(
            db,
            issues::open_issue(start.project, start.ann, title, "some words")
        )?;
        assert_eq!((opened.number, opened.version), (number, 1));
        issues.push(opened.id);
    }
    let new = crate::all_columns(start.project, start.ben);
    let inserted = need!(db, issues::insert_issue(new))?;
    let found = need!(db, issues::find_issue(inserted.id))?.expect("the issue");
    assert_eq!(found.remind_before, Some(crate::interval()));
    let found = json(&found);
    assert_eq!(found, json(&inserted));
    assert_eq!(found["tags"], json!(["one", "two"]));
    assert_eq!(found["estimate"], "1.50");
    assert_eq!(found["due_on"], "2027-01-01");
    assert_eq!(found["status"], "open");
    assert!(found.get("words").is_none());
    issues.push(inserted.id);
    Ok(issues)
}

async fn labels_and_graphs(db: &crate::Db, start: &Start, issues: &[i64]) -> Result {
    crate::set_up(
        db,
        "INSERT INTO labels (project_id, name)
         SELECT id, label FROM projects, UNNEST(ARRAY['bug', 'urgent']) label WHERE name = 'rocket'",
    )
    .await?;
    let names = ["bug".to_owned(), "urgent".to_owned(), "none".to_owned()];
    assert_eq!(need!(db, issues::label_issue(issues[0], &names[..1]))?, 1);
    assert_eq!(need!(db, issues::label_issue(issues[0], &names))?, 1);
    assert_eq!(need!(db, issues::label_issue(issues[2], &names[..1]))?, 1);
    let bodies = ["yes".to_owned(), "no".to_owned()];
    let comments = need!(db, issues::import_comments(issues[0], start.ben, &bodies))?;
    need!(
        db,
        needs::insert_attachment(issues[0], "log", b"content".as_slice())
    )?;
    let attachments = json(need!(db, needs::attachments_of(issues[0]))?);
    assert_eq!(each(&attachments, "name"), ["log"]);
    assert!(attachments[0].get("content").is_none());

    let page = need!(db, issues::issue_page(start.project, 8))?.expect("the page");
    let page = json(page);
    assert_eq!(page["title"], "the engine leaks");
    assert_eq!(page["author"]["display_name"], "ann");
    assert!(page["author"].get("password_hash").is_none());
    assert_eq!(each(&page["labels"], "name"), ["bug", "urgent"]);
    assert_eq!(
        each(&page["comments"], "id"),
        [json!(comments[0]), json!(comments[1])]
    );
    assert_eq!(page["comments"][1]["body"], "no");
    assert_eq!(page["comments"][1]["author"]["display_name"], "ben");
    assert_eq!(page["attachments"], attachments);
    let empty = json(need!(db, issues::issue_page(start.project, 9))?);
    assert_eq!(
        (&empty["labels"], &empty["comments"]),
        (&json!([]), &json!([]))
    );
    assert!(need!(db, issues::issue_page(start.project, 11))?.is_none());

    let found = json(need!(
        db,
        issues::issues_with_labels(&[issues[2], issues[1], issues[0]])
    )?);
    assert_eq!(each(&found, "number"), [10, 9, 8]);
    let labels = each(&found, "labels");
    let labels: Vec<_> = labels.iter().map(|labels| each(labels, "name")).collect();
    assert_eq!(json(labels), json!([["bug"], [], ["bug", "urgent"]]));
    assert_eq!(found[0]["author"]["display_name"], "ann");

    let overview = json(need!(db, issues::overview(start.organisation))?);
    assert_eq!(overview["name"], "acme");
    assert_eq!(each(&overview["projects"], "name"), ["engine", "rocket"]);
    assert_eq!(overview["projects"][0]["issues"], json!([]));
    let newest = &overview["projects"][1]["issues"];
    assert_eq!(each(newest, "number"), [100, 10, 9, 8]);
    assert!(need!(db, issues::overview(0))?.is_none());
    board(db, start).await
}

async fn board(db: &crate::Db, start: &Start) -> Result {
    let first = Filter {
        limit: 9,
        ..Filter::default()
    };
    let all = json(need!(db, issues::board(start.project, &first))?);
    assert_eq!(each(&all, "number"), [100, 10, 9, 8]);
    assert_eq!(each(&all[3]["labels"], "name"), ["bug", "urgent"]);
    assert_eq!(all[0]["author"]["display_name"], "ben");
    let filter = Filter {
        status: Some(IssueStatus::Open),
        author: Some(start.ann),
        label: Some("bug"),
        order: BoardOrder::Oldest,
        limit: 9,
        ..Filter::default()
    };
    let some = json(need!(db, issues::board(start.project, &filter))?);
    assert_eq!(each(&some, "number"), [8, 10]);
    let done = Filter {
        status: Some(IssueStatus::Done),
        ..filter
    };
    assert!(need!(db, issues::board(start.project, &done))?.is_empty());
    // One row on each page; three issues have no date.
    for (order, expected) in [
        (BoardOrder::Newest, [100, 10, 9, 8]),
        (BoardOrder::Oldest, [8, 9, 10, 100]),
        (BoardOrder::Due, [100, 8, 9, 10]),
    ] {
        let (mut numbers, mut last) = (Vec::new(), None);
        loop {
            let filter = Filter {
                order,
                after: last.as_ref(),
                limit: 1,
                ..Filter::default()
            };
            let page = need!(db, issues::board(start.project, &filter))?;
            let Some(row) = page.into_iter().next() else {
                break;
            };
            numbers.push(json(&row)["number"].clone());
            last = Some(row);
        }
        assert_eq!(numbers, expected);
    }
    Ok(())
}

async fn queries(db: &crate::Db, start: &Start, issues: &[i64]) -> Result {
    let found = json(need!(db, issues::search(start.project, "engine -loud", 9))?);
    assert_eq!(each(&found, "number"), [8]);
    assert!(found[0]["rank"].as_f64() > Some(0.0), "{found}");

    let done = IssueStatus::Done;
    assert_eq!(need!(db, issues::set_status(done, &issues[..2]))?, 2);
    assert_eq!(need!(db, issues::set_status(done, &issues[..2]))?, 0);
    let counts = json(need!(db, issues::count_by_status(start.project))?);
    let expected = json!([{"status": "open", "issues": 2}, {"status": "done", "issues": 2}]);
    assert_eq!(counts, expected);
    assert_eq!(need!(db, needs::open_issues(start.project))?, Some(2));

    let comment = need!(
        db,
        issues::import_comments(issues[1], start.ann, &["top".to_owned()])
    )?[0];
    crate::set_up(
        db,
        "INSERT INTO comments (issue_id, author_id, parent_id, body)
         SELECT issue_id, author_id, id, 'first' FROM comments WHERE body = 'top'",
    )
    .await?;
    crate::set_up(
        db,
        "INSERT INTO comments (issue_id, author_id, parent_id, body)
         SELECT issue_id, author_id, id, 'second' FROM comments WHERE body = 'first'",
    )
    .await?;
    let below = json(need!(db, issues::replies(comment))?);
    assert_eq!(each(&below, "body"), ["first", "second"]);
    assert_eq!(each(&below, "depth"), [1, 2]);

    need!(db, needs::refresh_commenters())?;
    assert_eq!(need!(db, needs::comments_by(start.ann))?, Some(3));
    assert_eq!(need!(db, needs::comments_by(0))?, None);
    Ok(())
}

async fn writes(db: &crate::Db, start: &Start, issues: &[i64]) -> Result {
    let bodies: Vec<String> = (0..100_000).map(|number| number.to_string()).collect();
    let begun = Instant::now();
    let ids = need!(db, issues::import_comments(issues[1], start.ann, &bodies))?;
    println!("import of 100,000 comments: {:.1?}", begun.elapsed());
    assert_eq!(ids.len(), bodies.len());
    assert!(ids.windows(2).all(|two| two[0] < two[1]));
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), bodies.len());

    let changes = || IssueChanges {
        title: Some("new".into()),
        due_on: Some(None),
        ..IssueChanges::default()
    };
    let edited = need!(db, issues::edit_issue(issues[3], 1, changes()))?.expect("version 1");
    assert_eq!((edited.title.as_str(), edited.version), ("new", 2));
    assert_eq!((edited.due_on, edited.tags.len()), (None, 2));
    assert!(need!(db, issues::edit_issue(issues[3], 1, changes()))?.is_none());
    assert!(need!(db, issues::delete_issue(issues[3]))?);
    assert!(!need!(db, issues::delete_issue(issues[3]))?);
    assert!(need!(db, issues::find_issue(issues[3]))?.is_none());

    let other = need!(db, needs::upsert_project(start.organisation, "engine", 41))?;
    let moved = need!(db, issues::move_issue(issues[0], other.id))?;
    assert_eq!((moved.project_id, moved.number), (other.id, 42));
    let page = json(need!(db, issues::issue_page(other.id, 42))?);
    assert_eq!(page["labels"], json!([]));
    // Two at a time conflict, and both succeed.
    let (one, two) = (db.clone(), db.clone());
    let (first, second) = (issues[0], issues[1]);
    let (one, two) = tokio::join!(
        async move { need!(one, issues::move_issue(first, start.project)).map(|it| it.number) },
        async move { need!(two, issues::move_issue(second, start.project)).map(|it| it.number) },
    );
    let numbers = BTreeSet::from([one?, two?]);
    assert_eq!(numbers, BTreeSet::from([11, 12]));
    Ok(())
}

async fn jobs(db: &crate::Db) -> Result {
    let waiting = async {
        let job = need!(db, needs::wait_for_job())?;
        Ok::<_, Box<dyn std::error::Error + Send + Sync>>(job)
    };
    let adding = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        need!(db, needs::add_job("mail"))
    };
    let limit = Duration::from_secs(20);
    let (job, added) = tokio::time::timeout(limit, async { tokio::join!(waiting, adding) }).await?;
    added?;
    let job = job?;
    assert_eq!((job.kind.as_str(), job.attempts), ("mail", 1));
    assert!(need!(db, needs::take_job())?.is_none());
    need!(db, needs::finish_job(job.id))?;
    Ok(())
}
