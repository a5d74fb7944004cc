//! Five queries, checked by sqlx's macros: with a server, or with its answers in `.sqlx`.

use sqlx::PgPool;

pub(crate) async fn show(pool: &PgPool) -> Result<(), sqlx::Error> {
    let received = sqlx::query!(
        "SELECT transfers.key, transfers.amount, sender.username AS sender
           FROM transfers JOIN accounts sender ON sender.id = transfers.sender_id
          WHERE transfers.receiver_id = $1
          ORDER BY transfers.amount DESC, transfers.key
          LIMIT $2",
        2,
        10
    );
    for row in received.fetch_all(pool).await? {
        println!("received: {} {} from {}", row.key, row.amount, row.sender);
    }

    // sqlx assumes that an expression can be NULL; `!` declares that this one cannot.
    let totals = sqlx::query!(
        r#"SELECT accounts.username, coalesce(sum(transfers.amount), 0)::bigint AS "received!"
             FROM accounts LEFT JOIN transfers ON transfers.receiver_id = accounts.id
            GROUP BY accounts.id
            ORDER BY 2 DESC, accounts.username"#
    );
    for row in totals.fetch_all(pool).await? {
        println!("total: {} {}", row.username, row.received);
    }

    // `?`: a column of an outer join, which can be NULL.
    let largest = sqlx::query!(
        r#"SELECT accounts.id, accounts.balance, largest.amount AS "amount?"
             FROM accounts LEFT JOIN LATERAL (
                      SELECT amount FROM transfers WHERE sender_id = accounts.id ORDER BY amount DESC LIMIT 1
                  ) largest ON true
            WHERE accounts.username = $1"#,
        "ann"
    );
    if let Some(row) = largest.fetch_optional(pool).await? {
        println!("largest: {} {} {:?}", row.id, row.balance, row.amount);
    }

    let withdraw = sqlx::query!(
        "UPDATE accounts SET balance = balance - $1
          WHERE id = $2 AND balance >= $1
         RETURNING balance",
        100,
        1
    );
    let left = withdraw.fetch_optional(pool).await?;
    println!("withdrawn: {:?}", left.map(|row| row.balance));

    let forget = sqlx::query!(
        r#"WITH forgotten AS (
               DELETE FROM transfers WHERE amount < $1 AND sender_id = ANY($2) RETURNING sender_id
           )
           SELECT sender_id, count(*) AS "forgotten!" FROM forgotten GROUP BY sender_id ORDER BY sender_id"#,
        6,
        &[1, 2]
    );
    for row in forget.fetch_all(pool).await? {
        println!("forgotten: {} of {}", row.forgotten, row.sender_id);
    }
    Ok(())
}
