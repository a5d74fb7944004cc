use bank::AccountChanges;

fn main() {
    let _ = AccountChanges { full_name: Some(None), ..Default::default() };
}
