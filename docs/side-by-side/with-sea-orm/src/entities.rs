//! The tables, as `sea-orm-cli generate entity` reads them from a server.

macro_rules! entity {
    ($module:ident, $table:literal, { $($(#[$attribute:meta])* $column:ident: $type:ty),* $(,)? } $(, { $($relations:tt)* })?) => {
        pub(crate) mod $module {
            use sea_orm::entity::prelude::*;

            #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
            #[sea_orm(table_name = $table)]
            pub struct Model { $($(#[$attribute])* pub $column: $type),* }

            #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
            pub enum Relation { $($($relations)*)? }

            impl ActiveModelBehavior for ActiveModel {}
        }
    };
}

entity!(table1, "table1", {
    #[sea_orm(primary_key)]
    id: i32,
    description: String,
});

entity!(accounts, "accounts", {
    #[sea_orm(primary_key)]
    id: i64,
    username: String,
    balance: i64,
});

entity!(transfers, "transfers", {
    #[sea_orm(primary_key, auto_increment = false)]
    key: String,
    sender_id: i64,
    receiver_id: i64,
    amount: i64,
}, {
    #[sea_orm(belongs_to = "super::accounts::Entity", from = "Column::SenderId", to = "super::accounts::Column::Id")]
    Sender,
    #[sea_orm(belongs_to = "super::accounts::Entity", from = "Column::ReceiverId", to = "super::accounts::Column::Id")]
    Receiver,
});
