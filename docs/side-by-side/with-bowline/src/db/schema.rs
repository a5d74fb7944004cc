// @generated automatically by Diesel CLI.

diesel::table! {
    accounts (id) {
        id -> Int8,
        username -> Text,
        balance -> Int8,
    }
}

diesel::table! {
    newtable (id) {
        id -> Nullable<Int4>,
        status -> Bool,
    }
}

diesel::table! {
    table1 (id) {
        id -> Int4,
        #[max_length = 30]
        description -> Varchar,
    }
}

diesel::table! {
    transfers (key) {
        key -> Text,
        sender_id -> Int8,
        receiver_id -> Int8,
        amount -> Int8,
    }
}

diesel::allow_tables_to_appear_in_same_query!(accounts, newtable, table1, transfers,);
