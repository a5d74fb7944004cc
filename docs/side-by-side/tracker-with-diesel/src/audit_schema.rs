// @generated automatically by Diesel CLI.

pub mod audit {
    diesel::table! {
        audit.events (id) {
            id -> Int8,
            user_id -> Nullable<Int8>,
            action -> Text,
            happened_at -> Timestamptz,
        }
    }
}
