//! The web service, request by request.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use bowline::{AsyncDatabase, Result};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::project;

/// Sends a request as a user, and returns the status and the body.
async fn send(service: &Router, method: &str, path: &str, body: Value) -> (u16, Value) {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("x-user", "1")
        .header("content-type", "application/json")
        .body(Body::from(body.to_string()))
        .expect("a request");
    let response = service.clone().oneshot(request).await.expect("a response");
    let status = response.status().as_u16();
    let bytes = to_bytes(response.into_body(), 1 << 20)
        .await
        .expect("a body");
    let text = String::from_utf8_lossy(&bytes).into_owned();
    (
        status,
        serde_json::from_str(&text).unwrap_or(Value::String(text)),
    )
}

#[bowline::test(database)]
async fn a_client_sets_only_what_it_may(db: AsyncDatabase) -> Result<()> {
    db.blocking(project).await?;
    let service = tracker::router(db);
    let issues = "/projects/1/issues";
    for forbidden in ["author_id", "created_at", "status"] {
        let body = json!({ "title": "a", forbidden: 1 });
        let (status, text) = send(&service, "POST", issues, body).await;
        assert_eq!(status, 422, "{text}");
        assert!(
            text.as_str()
                .is_some_and(|it| it.contains(&format!("unknown field `{forbidden}`")))
        );
    }
    let admin = json!({ "email": "eve@example.com", "display_name": "Eve", "is_admin": true });
    assert_eq!(send(&service, "POST", "/users", admin).await.0, 422);
    let (status, text) = send(&service, "POST", issues, json!({ "body": "b" })).await;
    assert_eq!(status, 422);
    assert!(
        text.as_str()
            .is_some_and(|it| it.contains("missing field `title`"))
    );
    Ok(())
}

#[bowline::test(database)]
async fn a_violated_constraint_is_named(db: AsyncDatabase) -> Result<()> {
    db.blocking(project).await?;
    let service = tracker::router(db);
    let ann = json!({ "email": "Ann@Example.com", "display_name": "Ann" });
    let (status, body) = send(&service, "POST", "/users", ann).await;
    assert_eq!(
        (status, &body["constraint"]),
        (409, &json!("users_email_key"))
    );
    let (status, body) = send(
        &service,
        "POST",
        "/projects/1/issues",
        json!({ "title": "" }),
    )
    .await;
    assert_eq!(
        (status, &body["constraint"]),
        (409, &json!("issues_title_check"))
    );
    Ok(())
}

#[bowline::test(database)]
async fn issues_are_opened_listed_edited_and_deleted(db: AsyncDatabase) -> Result<()> {
    db.blocking(project).await?;
    let service = tracker::router(db);
    for title in ["a", "b", "c"] {
        let body = json!({ "title": title });
        assert_eq!(
            send(&service, "POST", "/projects/1/issues", body).await.0,
            201
        );
    }
    let none = || json!(null);
    let (_, first) = send(&service, "GET", "/projects/1/issues?limit=2", none()).await;
    let next = first["next"].as_str().expect("a position").to_owned();
    let path = format!("/projects/1/issues?limit=2&after={next}");
    let (_, second) = send(&service, "GET", &path, none()).await;
    let titles = |page: &Value| -> Vec<String> {
        let issues = page["issues"].as_array().expect("issues");
        issues
            .iter()
            .map(|it| it["title"].as_str().expect("a title").to_owned())
            .collect()
    };
    assert_eq!(
        (titles(&first), titles(&second)),
        (vec!["c".into(), "b".into()], vec!["a".into()])
    );
    assert_eq!(second["next"], json!(null));
    let other = format!("/projects/1/issues?order=oldest&after={next}");
    assert_eq!(send(&service, "GET", &other, none()).await.0, 400);
    assert_eq!(
        send(&service, "GET", "/projects/1/issues?order=title", none())
            .await
            .0,
        400
    );

    let edit = json!({ "version": 1, "title": "d", "due_on": "2027-01-01" });
    let (status, edited) = send(&service, "PATCH", "/issues/1", edit.clone()).await;
    assert_eq!(
        (status, &edited["title"], &edited["version"]),
        (200, &json!("d"), &json!(2))
    );
    assert_eq!(send(&service, "PATCH", "/issues/1", edit).await.0, 409);
    for required in ["title", "body", "status"] {
        let null = json!({ "version": 2, required: null });
        let (status, text) = send(&service, "PATCH", "/issues/1", null).await;
        assert_eq!(status, 422, "{text}");
        let is_named = |it: &str| it.contains(&format!("{required}: invalid type: null"));
        assert!(text.as_str().is_some_and(is_named), "{text}");
    }
    let clear = json!({ "version": 2, "due_on": null });
    let (_, cleared) = send(&service, "PATCH", "/issues/1", clear).await;
    assert_eq!(
        (&cleared["due_on"], &cleared["title"]),
        (&json!(null), &json!("d"))
    );

    let reply = json!({ "body": "yes" });
    assert_eq!(
        send(&service, "POST", "/issues/1/comments", reply).await.0,
        201
    );
    let (_, detail) = send(&service, "GET", "/projects/1/issues/1", none()).await;
    assert_eq!(detail["comments"][0]["body"], json!("yes"));
    assert_eq!(detail["author"].get("password_hash"), None);
    assert_eq!(send(&service, "DELETE", "/issues/1", none()).await.0, 204);
    assert_eq!(send(&service, "DELETE", "/issues/1", none()).await.0, 404);
    assert_eq!(
        send(&service, "GET", "/projects/1/issues/1", none())
            .await
            .0,
        404
    );
    Ok(())
}
