// @generated automatically by Diesel CLI.

pub mod sql_types {
    #[derive(diesel::sql_types::SqlType)]
    #[diesel(postgres_type(name = "state"))]
    pub struct State;
}

diesel::table! {
    bins (id) {
        id -> Int4,
    }
}

diesel::table! {
    checks (id) {
        id -> Int4,
        bin_id -> Int4,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::sql_types::State;

    entries (id) {
        id -> Int4,
        state -> State,
        rank -> Nullable<Int4>,
        name -> Text,
        points -> Int4,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::sql_types::State;

    parcels (tenant, id) {
        tenant -> Int4,
        id -> Int4,
        state -> State,
        weight -> Nullable<Int4>,
        marks -> Array<Nullable<Int4>>,
        hint -> Nullable<Text>,
    }
}

diesel::table! {
    people (id) {
        id -> Int8,
        email -> Text,
        full_name -> Nullable<Text>,
        password_hash -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::sql_types::State;

    tickets (id) {
        id -> Int8,
        owner_id -> Int8,
        code -> Text,
        title -> Text,
        body -> Nullable<Text>,
        state -> State,
        version -> Int4,
        changed -> Timestamptz,
        deleted_at -> Nullable<Timestamptz>,
    }
}

diesel::joinable!(checks -> bins (bin_id));
diesel::joinable!(tickets -> people (owner_id));

diesel::allow_tables_to_appear_in_same_query!(bins, checks, entries, parcels, people, tickets,);
