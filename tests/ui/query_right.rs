use bank::{Account, AccountId, TransferId};
use bowline::{query, query_as};

struct Rich {
    id: AccountId,
    username: String,
}

fn main() {
    let (account, _transfer) = (AccountId(1), TransferId(1));
    let _ = query!("SELECT id, username FROM accounts WHERE id = $1", account).all();
    let _ = query!(
        "SELECT id
           FROM accounts
          WHERE status = 'active'"
    )
    .one();
    let _ = query!("DELETE FROM accounts WHERE id = $1", account).affected();
    let _ = query_as!(Rich, "SELECT id, username FROM accounts").all();
    let _ = query_as!(Account, r#"SELECT * FROM accounts WHERE username = 'ann'"#).optional();
    let _ = query!(concat!("SELECT id ", "FROM accounts")).all();
    let _ = query!("SELECT count(*) AS number FROM accounts").one();
}
