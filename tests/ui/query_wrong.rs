use bank::{Account, AccountId, TransferId};
use bowline::{query, query_as};

struct Rich {
    id: AccountId,
    name: String,
}

fn main() {
    let (_account, transfer) = (AccountId(1), TransferId(1));
    let _ = query!("SELECT id, username FROM accounts WHERE id = $1", transfer).all();
    let _ = query!(
        "SELECT id
           FROM accounts
          WHERE state = 'active'"
    )
    .one();
    let _ = query!("DELETE FROM accounts WHERE id = $1", _account).all();
    let _ = query_as!(Rich, "SELECT id, username FROM accounts").all();
    let _ = query_as!(Account, r#"SELECT * FROM account WHERE username = 'ann'"#).optional();
    let _ = query!(concat!("SELECT id ", "FROM acounts")).all();
    let _ = query!("SELECT count(*) + 1 FROM accounts").one();
    let _ = query!("SELECT FROM WHERE").all();
    let _ = query!(_account).all();
}
