// @generated automatically by Diesel CLI.

diesel::table! {
    entries (id) {
        id -> Int8,
        account -> Text,
        cents -> Int8,
    }
}
