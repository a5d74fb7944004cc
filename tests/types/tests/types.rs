//! Each type of PostgreSQL, on a server.

#[path = "types/crates.rs"]
mod crates;
#[path = "types/families.rs"]
mod families;
#[path = "types/geometries.rs"]
mod geometries;
#[path = "types/keys.rs"]
mod keys;
#[path = "types/page.rs"]
mod page;
#[path = "types/values.rs"]
mod values;
