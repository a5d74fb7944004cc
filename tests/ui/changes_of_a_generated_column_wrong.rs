use bank::AccountChanges;

fn main() {
    let _ = AccountChanges { display_name: Some(None), ..Default::default() };
}
