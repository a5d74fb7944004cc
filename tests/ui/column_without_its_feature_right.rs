mod column_types {
    pub mod devices;
    pub mod schema;
}

fn main() {
    let _ = column_types::devices::Device::count();
}
