use bank::{NewAccount, Transfer};

fn main() {
    let new = NewAccount { username: "ann".into() };
    let _ = Transfer::insert(new);
}
