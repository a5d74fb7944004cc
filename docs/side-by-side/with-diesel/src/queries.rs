//! Five queries with diesel: three by its query builder, two as SQL.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Nullable, Text};

use crate::schema::{accounts, transfers};

pub(crate) fn show(conn: &mut PgConnection) -> QueryResult<()> {
    let received = transfers::table
        .inner_join(accounts::table.on(accounts::id.eq(transfers::sender_id)))
        .filter(transfers::receiver_id.eq(2))
        .order((transfers::amount.desc(), transfers::key))
        .limit(10)
        .select((transfers::key, transfers::amount, accounts::username));
    for (key, amount, sender) in received.load::<(String, i64, String)>(conn)? {
        println!("received: {key} {amount} from {sender}");
    }

    // The code declares the type of an SQL expression; it is not checked.
    let total = || sql::<BigInt>("coalesce(sum(transfers.amount), 0)::bigint");
    let totals = accounts::table
        .left_join(transfers::table.on(transfers::receiver_id.eq(accounts::id)))
        .group_by((accounts::id, accounts::username))
        .order((total().desc(), accounts::username.asc()))
        .select((accounts::username, total()));
    for (username, received) in totals.load::<(String, i64)>(conn)? {
        println!("total: {username} {received}");
    }

    // The query builder has no LATERAL. The types of the SQL are not checked.
    #[derive(QueryableByName)]
    struct Largest {
        #[diesel(sql_type = BigInt)]
        id: i64,
        #[diesel(sql_type = BigInt)]
        balance: i64,
        #[diesel(sql_type = Nullable<BigInt>)]
        amount: Option<i64>,
    }
    let largest = diesel::sql_query(
        "SELECT accounts.id, accounts.balance, largest.amount
           FROM accounts LEFT JOIN LATERAL (
                    SELECT amount FROM transfers WHERE sender_id = accounts.id ORDER BY amount DESC LIMIT 1
                ) largest ON true
          WHERE accounts.username = $1",
    );
    let largest = largest.bind::<Text, _>("ann");
    if let Some(row) = largest.get_result::<Largest>(conn).optional()? {
        println!("largest: {} {} {:?}", row.id, row.balance, row.amount);
    }

    let withdraw = diesel::update(accounts::table.find(1).filter(accounts::balance.ge(100)))
        .set(accounts::balance.eq(accounts::balance - 100))
        .returning(accounts::balance);
    let left: Option<i64> = withdraw.get_result(conn).optional()?;
    println!("withdrawn: {left:?}");

    // The query builder has no WITH.
    #[derive(QueryableByName)]
    struct Forgotten {
        #[diesel(sql_type = BigInt)]
        sender_id: i64,
        #[diesel(sql_type = BigInt)]
        forgotten: i64,
    }
    let forget = diesel::sql_query(
        "WITH forgotten AS (
             DELETE FROM transfers WHERE amount < $1 AND sender_id = ANY($2) RETURNING sender_id
         )
         SELECT sender_id, count(*) AS forgotten FROM forgotten GROUP BY sender_id ORDER BY sender_id",
    );
    let forget = forget
        .bind::<BigInt, _>(6)
        .bind::<Array<BigInt>, _>(vec![1_i64, 2]);
    for row in forget.load::<Forgotten>(conn)? {
        println!("forgotten: {} of {}", row.forgotten, row.sender_id);
    }
    Ok(())
}
