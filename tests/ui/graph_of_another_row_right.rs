use bank::{Account, Transfer, TransferId};

#[derive(bowline::Graph)]
#[expect(dead_code, reason = "only its type matters")]
struct Sent {
    transfer: Transfer,
    sender: Account,
}

fn main() {
    let _ = Transfer::find(TransferId(1)).load::<Sent>();
}
