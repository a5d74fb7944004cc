//! The needs of an application, each on a real server.

mod graphs;
mod http;
mod needs;
mod trips;

use bowline::{Database, Result};
use tracker::db::queries::issues;
use tracker::db::{
    IssueId, NewOrganisation, NewProject, NewUser, Organisation, Project, ProjectId, User, UserId,
};
use tracker::types::Email;

fn email(name: &str) -> Email {
    Email::new(format!("{name}@example.com")).expect("an address")
}

fn user(db: &Database, name: &str) -> Result<UserId> {
    let new = NewUser {
        email: email(name),
        display_name: name.to_owned().into(),
    };
    Ok(db.run(User::insert(new))?.id)
}

/// A user, and a project in an organisation.
fn project(db: &Database) -> Result<(UserId, ProjectId)> {
    let ann = user(db, "ann")?;
    let organisation = db.run(Organisation::insert(NewOrganisation {
        name: "acme".into(),
    }))?;
    let new = NewProject {
        organisation_id: organisation.id,
        name: "rocket".into(),
    };
    Ok((ann, db.run(Project::insert(new))?.id))
}

fn issue(db: &Database, (ann, project): (UserId, ProjectId), title: &str) -> Result<IssueId> {
    Ok(db.run(issues::open(project, ann, title, "some words"))?.id)
}
