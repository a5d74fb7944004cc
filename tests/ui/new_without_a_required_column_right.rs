use bank::{AccountId, NewTransfer};

fn main() {
    let _ = NewTransfer {
        sender_id: AccountId(1),
        receiver_id: AccountId(2),
        amount: 5,
    };
}
