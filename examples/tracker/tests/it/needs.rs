//! What the functions of tables and of query files do together.

use bowline::asynchronous::Listened;
use bowline::notify::notify;
use bowline::{AsyncDatabase, Database, ErrorKind, Page, Result};
use tracker::db::queries::issues::{self, BoardOrder};
use tracker::db::queries::{jobs, organisations};
use tracker::db::{
    Comment, CommentValues, Commenter, Issue, IssueChanges, IssueConstraint, IssueLabel,
    IssueStatus, IssueValues, Job, JobValues, Label, Membership, MembershipValues, NewComment,
    NewIssue, NewIssueLabel, NewJob, NewLabel, NewMembership, NewUser, OpenIssue, Organisation,
    OrganisationChanges, User, UserChanges, UserConstraint, audit,
};
use tracker::graphs::IssuePage;
use tracker::types::Settings;
use tracker::worker;

use crate::{email, issue, project, user};

#[bowline::test]
fn addresses_are_compared_without_regard_to_case(db: Database) -> Result<()> {
    user(&db, "ann")?;
    assert!(db.run(User::find_by_email(&email("ANN")))?.is_some());
    let again = NewUser {
        email: email("Ann"),
        display_name: "Ann".into(),
    };
    let refused = db.run(User::insert(again)).expect_err("a duplicate");
    assert_eq!(refused.constraint(), Some(UserConstraint::EmailKey));
    Ok(())
}

#[bowline::test]
fn settings_are_a_type_and_memberships_have_two_keys(db: Database) -> Result<()> {
    let (ann, project) = project(&db)?;
    let organisation = db.run(tracker::db::Project::get(project))?.organisation_id;
    let settings = Settings {
        public: true,
        close_after_days: Some(30),
    };
    let changes = OrganisationChanges {
        settings: Some(settings.clone()),
        ..Default::default()
    };
    let changed = db.run(Organisation::update(organisation, changes))?;
    assert_eq!(changed.settings, settings);
    let new = MembershipValues {
        role: Some("owner".into()),
        ..NewMembership {
            organisation_id: organisation,
            user_id: ann,
        }
        .into()
    };
    db.run(Membership::insert(new))?;
    assert_eq!(db.run(Membership::get(organisation, ann))?.role, "owner");
    let members = db.run(organisations::members(organisation))?;
    assert_eq!(
        (&*members[0].member.display_name, &*members[0].role),
        ("ann", "owner")
    );
    // Both queries have the row type `Member`.
    assert_eq!(db.run(organisations::owners(organisation))?, members);
    Ok(())
}

#[bowline::test]
fn issues_are_numbered_counted_and_found_by_words(db: Database) -> Result<()> {
    let (ann, project) = project(&db)?;
    for title in [
        "the engine leaks",
        "the tank is empty",
        "the engine is loud",
    ] {
        issue(&db, (ann, project), title)?;
    }
    let found = db.run(issues::search("engine -loud", project, 10))?;
    let found: Vec<_> = found.iter().map(|row| (row.number, &*row.title)).collect();
    assert_eq!(found, [(1, "the engine leaks")]);
    let second = db
        .run(Issue::find_by_project_id_and_number(project, 2))?
        .expect("the second");
    let ids = [second.id];
    assert_eq!(db.run(issues::set_status(IssueStatus::Done, &ids))?, 1);
    assert_eq!(db.run(issues::set_status(IssueStatus::Done, &ids))?, 0);
    let counts = db.run(issues::count_by_status(project))?;
    let counts: Vec<_> = counts.iter().map(|row| (row.status, row.issues)).collect();
    assert_eq!(counts, [(IssueStatus::Open, 2), (IssueStatus::Done, 1)]);
    assert_eq!(db.run(OpenIssue::get(project))?.issues, 2);
    Ok(())
}

#[bowline::test]
fn a_changed_issue_is_not_overwritten(db: Database) -> Result<()> {
    let (ann, project) = project(&db)?;
    let id = issue(&db, (ann, project), "a")?;
    let title = |title: &'static str| IssueChanges {
        title: Some(title.into()),
        ..Default::default()
    };
    let changed = db.run(Issue::update(id, 1, title("b")))?;
    assert_eq!((&*changed.title, changed.version), ("b", 2));
    let late = db
        .run(Issue::update(id, 1, title("c")))
        .expect_err("an old version");
    assert_eq!(late.kind(), ErrorKind::VersionChanged);
    let empty = db
        .run(Issue::update(id, 2, title("")))
        .expect_err("no title");
    assert_eq!(empty.constraint(), Some(IssueConstraint::TitleCheck));
    Ok(())
}

#[bowline::test]
fn a_deleted_issue_is_in_no_list(db: Database) -> Result<()> {
    let (ann, project) = project(&db)?;
    let id = issue(&db, (ann, project), "a")?;
    assert!(db.run(Issue::delete(id))?);
    let page = BoardOrder::Newest.page(None, 9).expect("the first page");
    assert!(
        db.run(issues::board(project, None, None, None, page))?
            .is_empty()
    );
    assert_eq!(db.run(Issue::find(id))?, None);
    assert_eq!(db.run(Issue::list_deleted(Page::first(9)))?.len(), 1);
    assert!(db.run(Issue::restore(id))?);
    assert_eq!(db.run(Issue::get(id))?.id, id);
    Ok(())
}

#[bowline::test]
fn the_board_has_labels_and_pages(db: Database) -> Result<()> {
    let (ann, project) = project(&db)?;
    let names = ["bug", "urgent"];
    let labels = names.map(|name| NewLabel {
        project_id: project,
        name: name.into(),
    });
    let labels = db.run(Label::insert_many(labels.into()))?;
    let new = (1..=9).map(|number| NewIssue {
        project_id: project,
        number,
        author_id: ann,
        title: format!("issue {number}").into(),
    });
    let all = db.run(Issue::insert_many(new.map(IssueValues::from).collect()))?;
    let odd = all.iter().step_by(2).map(|issue| NewIssueLabel {
        issue_id: issue.id,
        label_id: labels[0].id,
    });
    db.run(IssueLabel::insert_many(odd.collect()))?;
    assert_eq!(
        db.run(issues::label(all[0].id, &["bug".into(), "urgent".into()]))?,
        1
    );
    let mut found = Vec::new();
    let mut after = None;
    loop {
        let page = BoardOrder::Newest
            .page(after.as_deref(), 2)
            .expect("a position");
        let rows = db.run(issues::board(
            project,
            Some(IssueStatus::Open),
            None,
            Some("bug"),
            page,
        ))?;
        found.extend(rows.iter().map(|row| row.number));
        match rows.last() {
            Some(last) if rows.len() == 2 => after = Some(BoardOrder::Newest.position(last)),
            _ => break,
        }
    }
    assert_eq!(found, [9, 7, 5, 3, 1]);
    let page = BoardOrder::Oldest.page(None, 1).expect("the first page");
    let first = db.run(issues::board(project, None, Some(ann), None, page))?;
    let of_first: Vec<&str> = first[0].labels.iter().map(|it| it.name.as_str()).collect();
    assert_eq!((first[0].number, of_first), (1, vec!["bug", "urgent"]));
    let ids: Vec<_> = all.iter().map(|issue| issue.id).collect();
    let graphs = db.run(Issue::find_many(&ids).load::<IssuePage>())?;
    assert_eq!(graphs.iter().map(|it| it.labels.len()).sum::<usize>(), 6);
    let by_index = Issue::list_by_project_and_status_order_by_updated_at(
        project,
        IssueStatus::Open,
        Page::first(3),
    );
    let by_index: Vec<_> = db.run(by_index)?.iter().map(|issue| issue.number).collect();
    assert_eq!(by_index, [9, 8, 7]);
    Ok(())
}

#[bowline::test]
fn comments_have_replies_and_are_counted(db: Database) -> Result<()> {
    let (ann, project) = project(&db)?;
    let issue_id = issue(&db, (ann, project), "a")?;
    let new = |parent_id| CommentValues {
        parent_id,
        ..NewComment {
            issue_id,
            author_id: ann,
            body: "yes".into(),
        }
        .into()
    };
    let first = db.run(Comment::insert(new(None)))?;
    let second = db.run(Comment::insert(new(Some(first.id))))?;
    let third = db.run(Comment::insert(new(Some(second.id))))?;
    let below = db.run(issues::replies(first.id))?;
    let below: Vec<_> = below.iter().map(|row| (row.id, row.depth)).collect();
    assert_eq!(below, [(second.id, 1), (third.id, 2)]);
    db.run(Commenter::refresh())?;
    assert_eq!(db.run(Commenter::get(ann))?.comments, 3);
    Ok(())
}

#[bowline::test]
fn events_are_in_another_schema(db: Database) -> Result<()> {
    let ann = user(&db, "ann")?;
    let new = audit::EventValues {
        user_id: Some(ann),
        ..audit::NewEvent {
            action: "sign in".into(),
        }
        .into()
    };
    let event = db.run(audit::Event::insert(new))?;
    assert_eq!(db.run(audit::Event::get(event.id))?.user_id, Some(ann));
    Ok(())
}

#[bowline::test]
fn a_secret_is_in_no_json(db: Database) -> Result<()> {
    let ann = user(&db, "ann")?;
    let changes = UserChanges {
        password_hash: Some(Some("secret".into())),
        ..Default::default()
    };
    let json = serde_json::to_string(&db.run(User::update(ann, changes))?).expect("JSON");
    assert!(!json.contains("secret"), "{json}");
    Ok(())
}

#[bowline::test(database)]
fn no_job_is_taken_twice(db: Database) -> Result<()> {
    let new = [(); 2].map(|()| NewJob {
        kind: "mail".into(),
    });
    db.run(Job::insert_many(new.map(JobValues::from).into()))?;
    let (mut one, mut other) = (db.session()?, db.session()?);
    one.savepoint(|one| {
        let first = one.run(jobs::take())?.expect("a job");
        // The other worker passes over the row that is locked.
        let second = other.run(jobs::take())?.expect("another job");
        assert_ne!(first.id, second.id);
        assert_eq!(other.run(jobs::take())?, None);
        one.run(jobs::finish(first.id))
    })?;
    assert_eq!(db.run(Job::count())?, 1);
    Ok(())
}

#[bowline::test(database)]
async fn a_worker_hears_of_a_job(db: AsyncDatabase) -> Result<()> {
    let mut announced = db.listen([worker::CHANNEL]).await?;
    let job = NewJob {
        kind: worker::COUNT_COMMENTS.into(),
    };
    db.run((Job::insert(job), notify(worker::CHANNEL, "")))
        .await?;
    assert!(matches!(announced.next().await?, Listened::Notification(_)));
    assert!(worker::work(&db).await?);
    assert!(!worker::work(&db).await?);
    assert_eq!(db.run(Job::count()).await?, 0);
    Ok(())
}
