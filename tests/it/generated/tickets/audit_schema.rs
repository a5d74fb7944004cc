// @generated automatically by Diesel CLI.

pub mod audit {
    pub mod sql_types {
        #[derive(diesel::sql_types::SqlType)]
        #[diesel(postgres_type(name = "state"))]
        pub struct State;

        #[derive(diesel::sql_types::SqlType)]
        #[diesel(postgres_type(name = "state", schema = "audit"))]
        pub struct State2;
    }

    diesel::table! {
        audit.bins (id) {
            id -> Int4,
        }
    }

    diesel::table! {
        audit.checks (id) {
            id -> Int4,
            bin_id -> Int4,
        }
    }

    diesel::table! {
        use diesel::sql_types::*;
        use super::sql_types::State2;
        use super::sql_types::State;

        audit.events (id) {
            id -> Int8,
            ticket_id -> Int8,
            state -> State2,
            was -> Nullable<State>,
        }
    }

    diesel::allow_tables_to_appear_in_same_query!(bins, checks, events,);
}
