//! Many rows at a time.

use ::sea_orm::sea_query::OnConflict;
use ::sea_orm::{
    ConnectionTrait, DatabaseConnection, DbErr, EntityTrait as _, Set, TransactionTrait as _,
};

use super::connect;
use super::entities::{articles, items};
use crate::contender::Contender;
use crate::futures::contender;
use crate::rows::{self, Item};

/// The number of rows in one statement, which has at most 65,535 parameters.
const CHUNK: usize = 13_000;

#[derive(Debug, Clone, Copy)]
enum Write {
    Insert,
    InsertWithIds,
    Upsert,
    UpsertWithIds,
}

fn writes(name: &'static str, rows: usize, how: Write) -> Vec<Contender> {
    let items = rows::items(rows);
    vec![contender(name, connect, async move |db, _, _| {
        write_all(db, items, how).await.expect("an answer");
    })]
}

pub fn insert(rows: usize) -> Vec<Contender> {
    writes("SeaORM insert_many", rows, Write::Insert)
}

pub fn insert_with_ids(rows: usize) -> Vec<Contender> {
    writes("SeaORM insert_many", rows, Write::InsertWithIds)
}

pub fn upsert(rows: usize, with_ids: bool) -> Vec<Contender> {
    let how = if with_ids {
        Write::UpsertWithIds
    } else {
        Write::Upsert
    };
    writes("SeaORM insert_many, on_conflict", rows, how)
}

/// Writes all rows, in a transaction if they are more than one statement.
async fn write_all(
    db: &DatabaseConnection,
    items: &'static [Item],
    how: Write,
) -> Result<(), DbErr> {
    if items.len() <= CHUNK {
        return write(db, items, how).await;
    }
    let transaction = db.begin().await?;
    for chunk in items.chunks(CHUNK) {
        write(&transaction, chunk, how).await?;
    }
    transaction.commit().await
}

async fn write(db: &impl ConnectionTrait, items: &'static [Item], how: Write) -> Result<(), DbErr> {
    match how {
        Write::Insert => {
            let insert = items::Entity::insert_many(items.iter().map(item));
            insert.exec(db).await?;
        }
        Write::InsertWithIds => {
            let insert = items::Entity::insert_many(items.iter().map(item));
            let ids = insert.exec_with_returning_keys(db).await?;
            assert!(ids.len() == items.len());
        }
        Write::Upsert => {
            let written = upserted(items).exec_without_returning(db).await?;
            assert!(written == items.len() as u64);
        }
        Write::UpsertWithIds => {
            let ids = upserted(items).exec_with_returning_keys(db).await?;
            assert!(ids.len() == items.len());
        }
    }
    Ok(())
}

fn upserted(items: &'static [Item]) -> ::sea_orm::InsertMany<articles::ActiveModel> {
    let mut conflict = OnConflict::column(articles::Column::Code);
    conflict.update_columns([
        articles::Column::Name,
        articles::Column::Amount,
        articles::Column::Price,
        articles::Column::Note,
    ]);
    articles::Entity::insert_many(items.iter().map(article)).on_conflict(conflict)
}

fn item(item: &Item) -> items::ActiveModel {
    items::ActiveModel {
        owner_id: Set(item.owner_id),
        name: Set(item.name.clone()),
        amount: Set(item.amount),
        price: Set(item.price),
        note: Set(item.note.clone()),
        ..Default::default()
    }
}

fn article(item: &Item) -> articles::ActiveModel {
    articles::ActiveModel {
        code: Set(item.owner_id),
        name: Set(item.name.clone()),
        amount: Set(item.amount),
        price: Set(item.price),
        note: Set(item.note.clone()),
        ..Default::default()
    }
}
