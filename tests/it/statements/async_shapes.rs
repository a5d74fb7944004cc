//! Common forms of asynchronous code: each compiles, is `Send` where it is spawned, and runs.

use std::pin::Pin;

use bank::Account;
use bowline::asynchronous::AsyncSession;
use bowline::statement::BoxedStatement;
use bowline::{AsyncDatabase, Result, Statement, StatementDsl as _, sql_query};
use diesel::sql_types::Text;

use crate::support::{new_account, test_database};

/// A repository whose methods borrow `self` and their arguments.
struct Accounts {
    db: AsyncDatabase,
    suffix: String,
}

type Boxed<'a, T> = Pin<Box<dyn Future<Output = Result<T>> + Send + 'a>>;

/// A trait with futures in boxes, as `#[async_trait]` writes it.
trait Repository {
    fn open<'a>(&'a self, username: &'a str) -> Boxed<'a, String>;
}

impl Repository for Accounts {
    fn open<'a>(&'a self, username: &'a str) -> Boxed<'a, String> {
        Box::pin(async move {
            let account = self
                .db
                .transaction(async |tx| {
                    let username = format!("{username}{}", self.suffix);
                    let opened = tx.run(Account::insert(new_account(&username))).await?;
                    for _ in 0..2 {
                        audit(&tx, &opened.username).await?;
                    }
                    Ok(opened)
                })
                .await?;
            Ok(account.username)
        })
    }
}

async fn audit(tx: &AsyncSession, username: &str) -> Result<()> {
    let found = tx.run(Account::find_by_username(username)).await?;
    assert!(found.is_some());
    Ok(())
}

fn boxed(username: &str) -> BoxedStatement<'_, usize> {
    sql_query("UPDATE accounts SET balance = 0 WHERE username = $1")
        .bind::<Text, _>(username)
        .affected()
        .boxed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_shape_runs_in_a_spawned_task() {
    let database = test_database();
    let db = database.config().max_size(3).open().expect("a server");
    let accounts = Accounts {
        db: db.into_async(),
        suffix: "!".to_owned(),
    };
    let db = accounts.db.clone();
    let opened = tokio::spawn(async move {
        let username = String::from("ann");
        accounts.open(&username).await
    });
    assert_eq!(opened.await.expect("no panic").expect("opened"), "ann!");
    // Statements of each kind, which may borrow.
    let task = {
        let db = db.clone();
        tokio::spawn(async move {
            let name = String::from("ann!");
            let found = db.run(Account::find_by_username(&name)).await?;
            let both = (Account::count(), Account::find_by_username(&name));
            let (count, again) = db.run(both).await?;
            let many = db.run(vec![boxed(&name), boxed("nobody")]).await?;
            let mut work = db.unit_of_work();
            let handle = work.add(boxed(&name));
            work.add(Account::count().map(|count| count + 1));
            let updated = work.commit().await?.take(handle)?;
            Ok::<_, bowline::Error>((found.is_some(), count, again.is_some(), many, updated))
        })
    };
    let seen = task.await.expect("no panic").expect("answers");
    assert_eq!(seen, (true, 1, true, vec![1, 0], 1));
    // A future that borrows neither the database nor anything else can be spawned by itself.
    let count = tokio::spawn(db.run(Account::count()));
    assert_eq!(count.await.expect("no panic").expect("a count"), 1);
    // A closure that owns what it uses.
    let name = String::from("bob");
    let owned = db.transaction(move |tx| {
        let name = name.clone();
        async move { tx.run(Account::insert(new_account(&name))).await }
    });
    let owned = tokio::spawn(owned).await.expect("no panic");
    assert_eq!(owned.expect("opened").username, "bob");
}
