//! Five queries with SeaORM: three by its query builder, two as SQL.

use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait as _, ConnectionTrait as _, DatabaseConnection, DbBackend, DbErr, EntityTrait as _,
    FromQueryResult, JoinType, QueryFilter as _, QueryOrder as _, QuerySelect as _,
    RelationTrait as _, Statement,
};

use crate::entities::{accounts, transfers};

pub(crate) async fn show(db: &DatabaseConnection) -> Result<(), DbErr> {
    // The fields of a row are matched with its columns by name, when it is read.
    #[derive(FromQueryResult)]
    struct Received {
        key: String,
        amount: i64,
        sender: String,
    }
    let received = transfers::Entity::find()
        .select_only()
        .columns([transfers::Column::Key, transfers::Column::Amount])
        .column_as(accounts::Column::Username, "sender")
        .join(JoinType::InnerJoin, transfers::Relation::Sender.def())
        .filter(transfers::Column::ReceiverId.eq(2))
        .order_by_desc(transfers::Column::Amount)
        .order_by_asc(transfers::Column::Key)
        .limit(10)
        .into_model::<Received>();
    for row in received.all(db).await? {
        println!("received: {} {} from {}", row.key, row.amount, row.sender);
    }

    #[derive(FromQueryResult)]
    struct Total {
        username: String,
        received: i64,
    }
    let total = || Expr::cust("coalesce(sum(transfers.amount), 0)::bigint");
    let totals = accounts::Entity::find()
        .select_only()
        .column(accounts::Column::Username)
        .column_as(total(), "received")
        .join(
            JoinType::LeftJoin,
            transfers::Relation::Receiver.def().rev(),
        )
        .group_by(accounts::Column::Id)
        .order_by_desc(total())
        .order_by_asc(accounts::Column::Username)
        .into_model::<Total>();
    for row in totals.all(db).await? {
        println!("total: {} {}", row.username, row.received);
    }

    #[derive(FromQueryResult)]
    struct Largest {
        id: i64,
        balance: i64,
        amount: Option<i64>,
    }
    let largest = Statement::from_sql_and_values(
        DbBackend::Postgres,
        "SELECT accounts.id, accounts.balance, largest.amount
           FROM accounts LEFT JOIN LATERAL (
                    SELECT amount FROM transfers WHERE sender_id = accounts.id ORDER BY amount DESC LIMIT 1
                ) largest ON true
          WHERE accounts.username = $1",
        ["ann".into()],
    );
    if let Some(row) = Largest::find_by_statement(largest).one(db).await? {
        println!("largest: {} {} {:?}", row.id, row.balance, row.amount);
    }

    let withdraw = accounts::Entity::update_many()
        .col_expr(
            accounts::Column::Balance,
            Expr::col(accounts::Column::Balance).sub(100),
        )
        .filter(accounts::Column::Id.eq(1))
        .filter(accounts::Column::Balance.gte(100));
    let left = withdraw.exec_with_returning(db).await?;
    println!("withdrawn: {:?}", left.first().map(|row| row.balance));

    let forget = Statement::from_sql_and_values(
        DbBackend::Postgres,
        "WITH forgotten AS (
             DELETE FROM transfers WHERE amount < $1 AND sender_id = ANY($2) RETURNING sender_id
         )
         SELECT sender_id, count(*) AS forgotten FROM forgotten GROUP BY sender_id ORDER BY sender_id",
        [6_i64.into(), vec![1_i64, 2].into()],
    );
    for row in db.query_all(forget).await? {
        let (sender, forgotten): (i64, i64) =
            (row.try_get("", "sender_id")?, row.try_get("", "forgotten")?);
        println!("forgotten: {forgotten} of {sender}");
    }
    Ok(())
}
