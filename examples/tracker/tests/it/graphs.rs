//! Graphs: rows with the rows that they are related to.

use bowline::{Database, Graph, Page, Result};
use tracker::db::queries::issues;
use tracker::db::{
    Attachment, AttachmentValues, Comment, CommentId, CommentValues, Issue, IssueId, IssueLabel,
    IssueValues, Label, LabelId, ListedIssue, Membership, NewAttachment, NewComment, NewIssue,
    NewIssueLabel, NewLabel, NewMembership, Organisation, Project, ProjectId, User, UserId, audit,
};
use tracker::graphs::{IssueInList, IssuePage, Overview};

use crate::trips::counted;
use crate::{issue, project, user};

fn comment(
    db: &Database,
    (issue_id, author_id): (IssueId, UserId),
    parent_id: Option<CommentId>,
    body: &str,
) -> Result<Comment> {
    let new = NewComment {
        issue_id,
        author_id,
        body: body.into(),
    };
    let values = CommentValues {
        parent_id,
        ..new.into()
    };
    db.run(Comment::insert(values))
}

fn label(db: &Database, project_id: ProjectId, name: &str) -> Result<LabelId> {
    let name = name.into();
    let label = db.run(Label::insert(NewLabel { project_id, name }))?;
    Ok(label.id)
}

#[test]
fn a_graph_is_what_its_tables_have_in_one_trip() -> Result<()> {
    let (db, proxy, _database) = counted();
    let (ann, project) = project(&db)?;
    let ben = user(&db, "ben")?;
    let id = issue(&db, (ann, project), "a")?;
    let estimate = IssueValues {
        estimate: Some("1.50".into()),
        tags: Some(vec!["one".to_owned(), "two".to_owned()]),
        ..NewIssue {
            project_id: project,
            number: 2,
            author_id: ben,
            title: "b".into(),
        }
        .into()
    };
    let other = db.run(Issue::insert(estimate))?.id;
    for name in ["bug", "crash"] {
        let label_id = label(&db, project, name)?;
        db.run(IssueLabel::insert(NewIssueLabel {
            issue_id: id,
            label_id,
        }))?;
    }
    for (author, body) in [(ann, "yes"), (ben, "no"), (ann, "well")] {
        comment(&db, (id, author), None, body)?;
    }
    comment(&db, (other, ann), None, "of another issue")?;
    db.run(Attachment::insert(AttachmentValues::from(NewAttachment {
        issue_id: id,
        name: "log".into(),
        content: b"abc".as_slice().into(),
    })))?;
    proxy.take_round_trips();
    let page = db.run(Issue::get(id).load::<IssuePage>())?;
    assert_eq!(proxy.take_round_trips(), 1);
    let first = Page::first(9);
    assert_eq!(page.issue, db.run(Issue::get(id))?);
    assert_eq!(page.author, db.run(User::get(ann))?);
    assert_eq!(page.labels, db.run(Label::list_by_project(project, first))?);
    let (comments, authors): (Vec<_>, Vec<_>) = page
        .comments
        .into_iter()
        .map(|it| (it.comment, it.author.id))
        .unzip();
    assert_eq!(
        comments,
        db.run(Comment::list_by_issue(id, Page::first(9)))?
    );
    assert_eq!(authors, [ann, ben, ann]);
    let attachments = Attachment::list_by_issue(id, Page::first(9));
    assert_eq!(page.attachments, db.run(attachments)?);
    // Each kind of query loads graphs, of rows without all columns too, in its own order.
    proxy.take_round_trips();
    let list = Issue::list_by_project_order_by_number(project, Page::first(50));
    let list = db.run(list.load::<IssueInList>())?;
    assert_eq!(proxy.take_round_trips(), 1);
    let numbers: Vec<_> = list
        .iter()
        .map(|it| (it.issue.number, it.labels.len()))
        .collect();
    assert_eq!(numbers, [(1, 2), (2, 0)]);
    assert_eq!(list[1].issue.estimate.as_deref(), Some("1.50"));
    let found = Issue::find_many(&[other, id]);
    let found = db.run(found.load::<IssuePage>())?;
    let ids: Vec<_> = found.iter().map(|it| (it.issue.id, it.author.id)).collect();
    assert_eq!(ids, [(other, ben), (id, ann)]);
    let missing = db.run(Issue::find(IssueId(0)).load::<IssuePage>())?;
    assert_eq!(missing, None);
    Ok(())
}

#[test]
fn three_levels_and_the_newest_rows_are_one_trip() -> Result<()> {
    let (db, proxy, _database) = counted();
    let (ann, project) = project(&db)?;
    let organisation = db.run(Project::get(project))?.organisation_id;
    let new = (1..=12).map(|number| {
        IssueValues::from(NewIssue {
            project_id: project,
            number,
            author_id: ann,
            title: number.to_string().into(),
        })
    });
    let issues = db.run(Issue::insert_many(new.collect()))?;
    db.run(Issue::delete(issues[10].id))?;
    proxy.take_round_trips();
    let found = db.run(Organisation::find(organisation).load::<Overview>())?;
    assert_eq!(proxy.take_round_trips(), 1);
    let found = found.expect("the organisation");
    let numbers = found.projects[0].issues.iter().map(|it| it.number);
    // That which is marked as deleted is left out.
    assert_eq!(
        numbers.collect::<Vec<_>>(),
        [12, 10, 9, 8, 7, 6, 5, 4, 3, 2]
    );
    Ok(())
}

#[derive(Debug, PartialEq, Graph)]
struct Thread {
    comment: Comment,
    parent: Option<Comment>,
    #[graph(first = 1)]
    comments_by_parent: Vec<Comment>,
    #[graph(relation = comments_by_parent, last = 2)]
    newest: Vec<Reply>,
}

#[derive(Debug, PartialEq, Graph)]
struct Reply {
    comment: Comment,
    issue: Issue,
    comments_by_parent: Vec<Comment>,
}

#[bowline::test]
fn a_table_that_refers_to_itself_has_both_directions(db: Database) -> Result<()> {
    let (ann, project) = project(&db)?;
    let id = issue(&db, (ann, project), "a")?;
    let top = comment(&db, (id, ann), None, "top")?;
    let replies = ["a", "b", "c"].map(|body| comment(&db, (id, ann), Some(top.id), body));
    let [a, b, c] = replies;
    let (a, b, c) = (a?, b?, c?);
    let below = comment(&db, (id, ann), Some(c.id), "d")?;
    let thread = db.run(Comment::get(top.id).load::<Thread>())?;
    assert_eq!((thread.parent, thread.comments_by_parent), (None, vec![a]));
    let [newest, before] = &thread.newest[..] else {
        panic!("{:?}", thread.newest);
    };
    assert_eq!((&newest.comment, &before.comment), (&c, &b));
    assert_eq!(newest.comments_by_parent, [below]);
    assert_eq!(newest.issue, db.run(Issue::get(id))?);
    let reply = db.run(Comment::get(b.id).load::<Thread>())?;
    assert_eq!(reply.parent, Some(top));
    Ok(())
}

#[derive(Debug, Graph)]
struct Member {
    user: User,
    organisations: Vec<Organisation>,
    memberships: Vec<Membership>,
    issues: Vec<ListedIssue>,
    events: Vec<audit::Event>,
}

#[derive(Debug, Graph)]
struct LabelWithIssues {
    label: Label,
    project: Project,
    issues: Vec<ListedIssue>,
}

#[bowline::test]
fn join_tables_lead_both_ways(db: Database) -> Result<()> {
    let (ann, project) = project(&db)?;
    let organisation_id = db.run(Project::get(project))?.organisation_id;
    db.run(Membership::insert(NewMembership {
        organisation_id,
        user_id: ann,
    }))?;
    let (first, second) = (
        issue(&db, (ann, project), "a")?,
        issue(&db, (ann, project), "b")?,
    );
    let label_id = label(&db, project, "bug")?;
    for id in [second, first] {
        db.run(issues::label(id, &["bug".into()]))?;
    }
    let member = db.run(User::get(ann).load::<Member>())?;
    assert_eq!(member.organisations[0].id, organisation_id);
    assert_eq!((member.memberships.len(), member.issues.len()), (1, 2));
    assert!(member.events.is_empty(), "{:?}", member.user);
    let found = db.run(Label::get(label_id).load::<LabelWithIssues>())?;
    let ids: Vec<IssueId> = found.issues.iter().map(|it| it.id).collect();
    assert_eq!(
        (ids, found.label.name.as_str()),
        (vec![first, second], "bug")
    );
    assert_eq!(found.project.id, project);
    db.run(Issue::delete(first))?;
    let found = db.run(Label::get(label_id).load::<LabelWithIssues>())?;
    assert_eq!(found.issues.len(), 1);
    Ok(())
}
