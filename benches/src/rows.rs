//! Rows that bulk workloads write, and trees that they load.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::db::{ArticleValues, Comment, ItemValues, Post, User};

/// The values of an item. Each library can borrow them.
#[derive(Debug)]
pub struct Item {
    pub owner_id: i64,
    pub name: String,
    pub amount: i32,
    pub price: f64,
    pub note: Option<String>,
}

/// Creates this many rows. They live until the process ends, so that a contender can keep
/// references to them.
pub fn items(count: usize) -> &'static [Item] {
    let item = |number: usize| Item {
        owner_id: number as i64,
        name: format!("item {number}"),
        amount: number as i32 % 1_000,
        price: number as f64 / 4.0,
        note: (number % 2 == 0).then(|| format!("note {number}")),
    };
    Box::leak((0..count).map(item).collect())
}

impl Item {
    /// The same as generated code and diesel take it, without a copy of its texts.
    pub fn as_new(&'static self) -> ItemValues<'static> {
        ItemValues {
            id: None,
            owner_id: self.owner_id,
            name: Cow::Borrowed(&self.name),
            amount: self.amount,
            price: self.price,
            note: self.note.as_deref().map(Cow::Borrowed),
        }
    }
}

impl Item {
    /// The same as an article, whose code is the owner.
    pub fn as_article(&'static self) -> ArticleValues<'static> {
        ArticleValues {
            id: None,
            code: self.owner_id,
            name: Cow::Borrowed(&self.name),
            amount: self.amount,
            price: self.price,
            note: self.note.as_deref().map(Cow::Borrowed),
        }
    }
}

/// Inserts items from an array for each column, and returns their ids.
pub const INSERT_RETURNING: &str = "INSERT INTO items (owner_id, name, amount, price, note) \
    SELECT * FROM UNNEST($1::bigint[], $2::text[], $3::integer[], $4::double precision[], $5::text[]) \
    RETURNING id";

/// Upserts articles from an array for each column.
pub const UPSERT: &str = "INSERT INTO articles (code, name, amount, price, note) \
    SELECT * FROM UNNEST($1::bigint[], $2::text[], $3::integer[], $4::double precision[], $5::text[]) \
    ON CONFLICT (code) DO UPDATE SET name = excluded.name, amount = excluded.amount, \
    price = excluded.price, note = excluded.note";

/// [`UPSERT`], and returns their ids.
pub const UPSERT_RETURNING: &str = "INSERT INTO articles (code, name, amount, price, note) \
    SELECT * FROM UNNEST($1::bigint[], $2::text[], $3::integer[], $4::double precision[], $5::text[]) \
    ON CONFLICT (code) DO UPDATE SET name = excluded.name, amount = excluded.amount, \
    price = excluded.price, note = excluded.note RETURNING id";

/// A vector for each column.
pub type Columns = (
    Vec<i64>,
    Vec<&'static str>,
    Vec<i32>,
    Vec<f64>,
    Vec<Option<&'static str>>,
);

/// Returns the columns of items, for `unnest`.
pub fn columns(items: &'static [Item]) -> Columns {
    let mut columns = Columns::default();
    for item in items {
        columns.0.push(item.owner_id);
        columns.1.push(&item.name);
        columns.2.push(item.amount);
        columns.3.push(item.price);
        columns.4.push(item.note.as_deref());
    }
    columns
}

/// Users with their posts, and the posts with their comments.
pub type Tree = Vec<(User, Vec<(Post, Vec<Comment>)>)>;

/// The number of users in a tree.
pub const TREE_USERS: i64 = 100;

/// Assembles trees from the rows of three tables.
pub fn tree(users: Vec<User>, posts: Vec<Post>, comments: Vec<Comment>) -> Tree {
    let mut of_post: HashMap<i64, Vec<Comment>> = HashMap::with_capacity(posts.len());
    for comment in comments {
        of_post.entry(comment.post_id.0).or_default().push(comment);
    }
    let mut of_user: HashMap<i64, Vec<(Post, Vec<Comment>)>> = HashMap::with_capacity(users.len());
    for post in posts {
        let comments = of_post.remove(&post.id.0).unwrap_or_default();
        of_user
            .entry(post.user_id.0)
            .or_default()
            .push((post, comments));
    }
    users
        .into_iter()
        .map(|user| {
            let posts = of_user.remove(&user.id.0).unwrap_or_default();
            (user, posts)
        })
        .collect()
}
