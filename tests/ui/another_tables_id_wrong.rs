use bank::{Transfer, AccountId};

fn main() {
    let id = AccountId(1);
    let _ = Transfer::get(id);
}
