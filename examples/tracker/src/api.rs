//! The routes, and what a client may send to them.
//!
//! The body of a request is a type of its own, with the columns that `bowline.toml` lets a client
//! set. `IssueValues` as a body would let it set `author_id` and `created_at`.

use axum::extract::{FromRequestParts, Path, Query, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::routing::{get, patch, post};
use axum::{Json, Router};
use bowline::notify::notify;
use bowline::{AsyncDatabase, TransactionOptions};
use serde::{Deserialize, Serialize};

use crate::db::queries::issues::{self, BoardOrder, BoardRow, OpenRow, SearchRow};
use crate::db::{
    Comment, Issue, IssueChanges, IssueChangesBody, IssueId, IssueLabel, IssueStatus, Job,
    NewCommentBody, NewCommentRest, NewIssueBody, NewJob, NewUserBody, Organisation,
    OrganisationId, ProjectId, User, UserId, audit,
};
use crate::failure::Failure;
use crate::graphs::{IssuePage, Overview};
use crate::worker::{CHANNEL, COUNT_COMMENTS};

/// The routes of the tracker.
pub fn router(db: AsyncDatabase) -> Router {
    Router::new()
        .route("/users", post(sign_up))
        .route("/organisations/{organisation}", get(overview))
        .route("/projects/{project}/issues", get(board).post(open_issue))
        .route("/projects/{project}/search", get(search))
        .route("/projects/{project}/issues/{number}", get(detail))
        .route("/issues/{issue}", patch(edit_issue).delete(delete_issue))
        .route("/issues/{issue}/comments", post(comment))
        .route("/issues/{issue}/move", post(move_issue))
        .with_state(db)
}

/// The user who sent the request. A real service reads a session here.
struct SignedIn(UserId);

impl<S: Sync> FromRequestParts<S> for SignedIn {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        let header = parts.headers.get("x-user").and_then(|it| it.to_str().ok());
        let id = header.and_then(|text| text.parse().ok()).map(UserId);
        id.map(Self).ok_or_else(|| {
            Failure::Request(StatusCode::UNAUTHORIZED, "nobody is signed in".to_owned())
        })
    }
}

async fn sign_up(
    State(db): State<AsyncDatabase>,
    Json(body): Json<NewUserBody>,
) -> Result<(StatusCode, Json<User>), Failure> {
    Ok((StatusCode::CREATED, Json(db.run(User::insert(body)).await?)))
}

async fn overview(
    State(db): State<AsyncDatabase>,
    Path(organisation): Path<OrganisationId>,
) -> Result<Json<Overview>, Failure> {
    let found = db
        .run(Organisation::find(organisation).load::<Overview>())
        .await?;
    found.map(Json).ok_or_else(Failure::not_found)
}

/// Opens an issue and notes it in the audit log: all or nothing, in one round trip.
async fn open_issue(
    State(db): State<AsyncDatabase>,
    Path(project): Path<ProjectId>,
    SignedIn(author): SignedIn,
    Json(body): Json<NewIssueBody>,
) -> Result<(StatusCode, Json<OpenRow>), Failure> {
    let event = audit::EventValues {
        user_id: Some(author),
        ..audit::NewEvent {
            action: "open".into(),
        }
        .into()
    };
    let text = body.body.as_deref().unwrap_or_default();
    let open = issues::open(project, author, &body.title, text);
    let (issue, _) = db.run((open, audit::Event::insert(event))).await?;
    Ok((StatusCode::CREATED, Json(issue)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Filter {
    status: Option<IssueStatus>,
    label: Option<String>,
    author: Option<UserId>,
    #[serde(default = "newest")]
    order: BoardOrder,
    after: Option<String>,
    limit: Option<u32>,
}

fn newest() -> BoardOrder {
    BoardOrder::Newest
}

#[derive(Serialize)]
struct Board {
    issues: Vec<BoardRow>,
    /// The position after which the next page begins.
    next: Option<String>,
}

async fn board(
    State(db): State<AsyncDatabase>,
    Path(project): Path<ProjectId>,
    Query(filter): Query<Filter>,
) -> Result<Json<Board>, Failure> {
    let limit = filter.limit.unwrap_or(50).min(100);
    let page = filter.order.page(filter.after.as_deref(), limit);
    let page = page.map_err(Failure::bad)?;
    let label = filter.label.as_deref();
    let query = issues::board(project, filter.status, filter.author, label, page);
    let issues = db.run(query).await?;
    let is_full = issues.len() == limit as usize;
    let last = issues.last().filter(|_| is_full);
    let next = last.map(|last| filter.order.position(last));
    Ok(Json(Board { issues, next }))
}

#[derive(Deserialize)]
struct Words {
    words: String,
}

async fn search(
    State(db): State<AsyncDatabase>,
    Path(project): Path<ProjectId>,
    Query(Words { words }): Query<Words>,
) -> Result<Json<Vec<SearchRow>>, Failure> {
    Ok(Json(db.run(issues::search(&words, project, 20)).await?))
}

async fn detail(
    State(db): State<AsyncDatabase>,
    Path((project, number)): Path<(ProjectId, i32)>,
) -> Result<Json<IssuePage>, Failure> {
    let found = Issue::find_by_project_id_and_number(project, number);
    let found = db.run(found.load::<IssuePage>()).await?;
    found.map(Json).ok_or_else(Failure::not_found)
}

async fn edit_issue(
    State(db): State<AsyncDatabase>,
    Path(issue): Path<IssueId>,
    SignedIn(_): SignedIn,
    Json(body): Json<IssueChangesBody>,
) -> Result<Json<Issue>, Failure> {
    let update = Issue::update(issue, body.version, body.into());
    Ok(Json(db.run(update).await?))
}

async fn delete_issue(
    State(db): State<AsyncDatabase>,
    Path(issue): Path<IssueId>,
    SignedIn(_): SignedIn,
) -> Result<StatusCode, Failure> {
    if db.run(Issue::delete(issue)).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(Failure::not_found())
    }
}

/// Adds a comment, and leaves a job that a worker hears of.
async fn comment(
    State(db): State<AsyncDatabase>,
    Path(issue_id): Path<IssueId>,
    SignedIn(author_id): SignedIn,
    Json(body): Json<NewCommentBody>,
) -> Result<(StatusCode, Json<Comment>), Failure> {
    let new = body.with(NewCommentRest {
        issue_id,
        author_id,
    });
    let job = NewJob {
        kind: COUNT_COMMENTS.into(),
    };
    let all = (Comment::insert(new), Job::insert(job), notify(CHANNEL, ""));
    let (comment, ..) = db.run(all).await?;
    Ok((StatusCode::CREATED, Json(comment)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Move {
    project_id: ProjectId,
}

/// Moves an issue to another project, where it gets the next number and has no labels.
async fn move_issue(
    State(db): State<AsyncDatabase>,
    Path(issue): Path<IssueId>,
    SignedIn(_): SignedIn,
    Json(body): Json<Move>,
) -> Result<Json<Issue>, Failure> {
    let target = body.project_id;
    // A conflict with another request runs the closure again.
    let moved = db
        .with_options(TransactionOptions::serializable())
        .transaction(async |tx| {
            let (issue, number) = tx
                .run((Issue::get(issue), issues::next_number(target)))
                .await?;
            let changes = IssueChanges {
                project_id: Some(target),
                number: Some(number.last_number),
                ..Default::default()
            };
            let update = Issue::update(issue.id, issue.version, changes);
            let (_, issue) = tx
                .run((IssueLabel::delete_by_issue(issue.id), update))
                .await?;
            Ok(issue)
        });
    Ok(Json(moved.await?))
}
