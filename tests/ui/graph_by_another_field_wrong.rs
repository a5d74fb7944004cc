use bank::{Account, Transfer};

#[derive(bowline::Graph)]
#[expect(dead_code, reason = "only its type matters")]
struct AccountPage {
    account: Account,
    #[graph(last = 10, by = creatd_at)]
    transfers_by_sender: Vec<Transfer>,
}

fn main() {}
