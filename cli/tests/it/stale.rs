//! Code that does not match the migrations fails to compile, also if the target folder has a build
//! and no Rust file has changed.

use crate::scratch::{Scratch, checkout};

/// A package with generated code, set up by hand.
fn shop() -> Scratch {
    let shop = Scratch::new("shop");
    let cargo_toml = shop.read("Cargo.toml");
    let bowline = checkout().display();
    shop.write(
        "Cargo.toml",
        &format!(
            "{cargo_toml}bowline = {{ path = \"{bowline}\" }}\n\
             diesel = {{ version = \"2.3.14\", default-features = false, features = [\"postgres_backend\"] }}\n\
             serde = {{ version = \"1\", features = [\"derive\"] }}\n"
        ),
    );
    shop.write(
        "build.rs",
        "fn main() {\n    println!(\"cargo::rerun-if-changed=migrations\");\n}\n",
    );
    shop.write(
        "diesel.toml",
        "[print_schema]\nfile = \"src/db/schema.rs\"\n",
    );
    shop.write("src/main.rs", "mod db;\n\nfn main() {}\n");
    shop.write(ITEMS, "CREATE TABLE items (id serial PRIMARY KEY);\n");
    // A migration's name is never read as code.
    shop.write("migrations/0_\"); evil!(\\ 'é\n/up.sql", "SELECT 1;\n");
    shop
}

const ITEMS: &str = "migrations/1_items/up.sql";

#[test]
fn a_new_migration_fails_the_next_build() {
    let shop = shop();
    let build = || shop.cargo(&["build"], &[]);
    shop.bowline(&["generate"], &[]);
    assert_eq!(build(), "exit 0");

    shop.write(
        "migrations/2_prices/up.sql",
        "ALTER TABLE items ADD COLUMN price int;\n",
    );
    insta::assert_snapshot!(build(), @r#"
    error: 2_prices was added since this code was generated from migrations: run `bowline generate`
     --> src/db/mod.rs:7:14
      |
    7 |     folder = "migrations",
      |              ^^^^^^^^^^^^

    error: could not compile `shop` (bin "shop") due to 1 previous error
    exit 101
    "#);
    shop.bowline(&["generate"], &[]);
    assert_eq!(build(), "exit 0");

    shop.write(
        ITEMS,
        "-- What is for sale.\nCREATE TABLE items (\n    id serial PRIMARY KEY\n);\n",
    );
    assert_eq!(build(), "exit 0");

    shop.write(ITEMS, "CREATE TABLE items (id bigserial PRIMARY KEY);\n");
    std::fs::remove_dir_all(shop.path("migrations/2_prices")).expect("no folder");
    insta::assert_snapshot!(build(), @r#"
    error: 1_items has changed, 2_prices was removed since this code was generated from migrations: run `bowline generate`
      --> src/db/mod.rs:10:9
       |
    10 |         "1_items" => 0xa2fc634b4895bfc1,
       |         ^^^^^^^^^

    error: could not compile `shop` (bin "shop") due to 1 previous error
    exit 101
    "#);

    std::fs::remove_dir_all(shop.path("migrations")).expect("no folder");
    insta::assert_snapshot!(build(), @r#"
    error: the folder [project]/migrations does not exist: check the folder's name in diesel.toml; in a Dockerfile, put `COPY migrations migrations` before the build
     --> src/db/mod.rs:7:14
      |
    7 |     folder = "migrations",
      |              ^^^^^^^^^^^^

    error: could not compile `shop` (bin "shop") due to 1 previous error
    exit 101
    "#);
}

#[test]
fn a_changed_query_file_fails_the_next_build() {
    let shop = shop();
    let build = || shop.cargo(&["build"], &[]);
    const QUERIES: &str = "queries/items.sql";
    shop.write(
        QUERIES,
        "-- name: newest :optional\nSELECT * FROM items ORDER BY id DESC LIMIT 1;\n",
    );
    shop.write(
        "build.rs",
        "fn main() {\n    println!(\"cargo::rerun-if-changed=migrations\");\n    println!(\"cargo::rerun-if-changed=queries\");\n}\n",
    );
    shop.bowline(&["generate"], &[]);
    assert_eq!(build(), "exit 0");

    // White space is ignored, the header is not.
    shop.write(
        QUERIES,
        "-- name: newest :optional\nSELECT *\n  FROM items ORDER BY id DESC LIMIT 1;\n",
    );
    assert_eq!(build(), "exit 0");
    shop.write(
        QUERIES,
        "-- name: newest :many\nSELECT * FROM items ORDER BY id DESC LIMIT 1;\n",
    );
    insta::assert_snapshot!(build(), @r#"
    error: items.sql has changed since this code was generated from queries: run `bowline generate`
     --> src/db/mod.rs:7:14
      |
    7 |     folder = "migrations",
      |              ^^^^^^^^^^^^

    error: could not compile `shop` (bin "shop") due to 1 previous error
    exit 101
    "#);

    shop.bowline(&["generate"], &[]);
    assert_eq!(build(), "exit 0");
    shop.write(
        "queries/more.sql",
        "-- name: count :one\nSELECT count(*) FROM items;\n",
    );
    insta::assert_snapshot!(build(), @r#"
    error: more.sql was added since this code was generated from queries: run `bowline generate`
     --> src/db/mod.rs:7:14
      |
    7 |     folder = "migrations",
      |              ^^^^^^^^^^^^

    error: could not compile `shop` (bin "shop") due to 1 previous error
    exit 101
    "#);
}
