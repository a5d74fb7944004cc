use bank::{Account, Transfer};

#[derive(bowline::Graph)]
#[expect(dead_code, reason = "only its type matters")]
struct Sent {
    transfer: Transfer,
    sender: Account,
}

fn main() {
    let _ = Account::find(bank::AccountId(1)).load::<Sent>();
}
