// @generated automatically by Diesel CLI.

diesel::table! {
    devices (id) {
        id -> Uuid,
        owner -> Nullable<Uuid>,
        name -> Text,
    }
}

diesel::table! {
    networks (id) {
        id -> Inet,
        gateway -> Nullable<Inet>,
        name -> Text,
    }
}

diesel::allow_tables_to_appear_in_same_query!(devices, networks,);
