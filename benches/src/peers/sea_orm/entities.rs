//! The tables, as `sea-orm-cli generate entity` reads them from a server.

macro_rules! entity {
    ($module:ident, $table:literal, { $($(#[$attribute:meta])* $column:ident: $type:ty),* $(,)? }) => {
        pub mod $module {
            use ::sea_orm::entity::prelude::*;

            #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
            #[sea_orm(table_name = $table)]
            pub struct Model { $($(#[$attribute])* pub $column: $type),* }

            #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
            pub enum Relation {}

            impl ActiveModelBehavior for ActiveModel {}
        }
    };
}

entity!(users, "users", {
    #[sea_orm(primary_key)]
    id: i64,
    name: String,
    email: String,
    balance: i64,
    created_at: DateTimeUtc,
    note: Option<String>,
});

entity!(items, "items", {
    #[sea_orm(primary_key)]
    id: i64,
    owner_id: i64,
    name: String,
    amount: i32,
    price: f64,
    note: Option<String>,
});

entity!(articles, "articles", {
    #[sea_orm(primary_key)]
    id: i64,
    #[sea_orm(unique)]
    code: i64,
    name: String,
    amount: i32,
    price: f64,
    note: Option<String>,
});

entity!(accounts, "pgbench_accounts", {
    #[sea_orm(primary_key, auto_increment = false)]
    aid: i32,
    bid: i32,
    abalance: i32,
    filler: Option<String>,
});

entity!(tellers, "pgbench_tellers", {
    #[sea_orm(primary_key, auto_increment = false)]
    tid: i32,
    bid: i32,
    tbalance: i32,
    filler: Option<String>,
});

entity!(branches, "pgbench_branches", {
    #[sea_orm(primary_key, auto_increment = false)]
    bid: i32,
    bbalance: i32,
    filler: Option<String>,
});

entity!(history, "pgbench_history", {
    #[sea_orm(primary_key)]
    id: i64,
    tid: i32,
    bid: i32,
    aid: i32,
    delta: i32,
    mtime: DateTime,
    filler: Option<String>,
});
