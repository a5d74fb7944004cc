use bank::{Account, NewAccount};

fn main() {
    let new = NewAccount { username: "ann".into() };
    let _ = Account::insert(new);
}
