// @generated automatically by Diesel CLI.

diesel::table! {
    invoices (order_id) {
        order_id -> Int8,
        number -> Text,
        paid -> Bool,
    }
}
