use bank::{Account, AccountLabel};

#[derive(bowline::Graph)]
#[expect(dead_code, reason = "only its type matters")]
struct Labelled {
    account: Account,
    cities: Vec<AccountLabel>,
}

fn main() {}
