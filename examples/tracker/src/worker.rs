//! A worker: takes jobs one by one, and waits for a notification when there is none.

use bowline::{AsyncDatabase, Result};

use crate::db::Commenter;
use crate::db::queries::jobs;

/// The channel on which new jobs are announced.
pub const CHANNEL: &str = "jobs";

/// The kind of a job that counts the comments of each user anew.
pub const COUNT_COMMENTS: &str = "count_comments";

/// Does the jobs that are due, and those that are announced.
///
/// # Errors
///
/// A database that is unavailable. Its jobs are taken again by the next worker.
pub async fn run(db: AsyncDatabase) -> Result<()> {
    let mut announced = db.listen([CHANNEL]).await?;
    loop {
        while work(&db).await? {}
        // A gap, in which notifications were lost, is also a reason to look.
        announced.next().await?;
    }
}

/// Does one job; returns false if none is due.
///
/// # Errors
///
/// As for [`run`].
pub async fn work(db: &AsyncDatabase) -> Result<bool> {
    let Some(job) = db.run(jobs::take()).await? else {
        return Ok(false);
    };
    match job.kind.as_str() {
        COUNT_COMMENTS => db
            .run((Commenter::refresh(), jobs::finish(job.id)))
            .await
            .map(drop)?,
        // A job of another version of the program is left to it.
        _ => return Ok(false),
    }
    Ok(true)
}
