use bank::{Transfer, TransferId};

fn main() {
    let id = TransferId(1);
    let _ = Transfer::get(id);
}
