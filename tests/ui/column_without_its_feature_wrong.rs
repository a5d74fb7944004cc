mod column_types {
    pub mod networks;
    pub mod schema;
}

fn main() {
    let _ = column_types::networks::Network::count();
}
