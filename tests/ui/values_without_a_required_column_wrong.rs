use bank::{AccountId, NewTransfer, TransferValues};

fn main() {
    let _ = TransferValues {
        created_at: None,
        ..NewTransfer {
            sender_id: AccountId(1),
            amount: 5,
        }
        .into()
    };
}
