use bank::{AccountId, NewTransfer};

fn main() {
    let (sender_id, receiver_id) = (AccountId(1), AccountId(2));
    let _ = NewTransfer { receiver_id, sender_id, amount: 5 };
}
