use bank::{AccountId, NewTransfer};

fn main() {
    let _ = NewTransfer {
        sender_id: AccountId(1),
        amount: 5,
    };
}
