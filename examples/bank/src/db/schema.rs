// @generated automatically by Diesel CLI.

pub mod sql_types {
    #[derive(diesel::query_builder::QueryId, Clone, diesel::sql_types::SqlType)]
    #[diesel(postgres_type(name = "account_status"))]
    pub struct AccountStatus;
}

diesel::table! {
    /// A word that a person puts on an account to find it again.
    account_labels (account_id, label) {
        account_id -> Int8,
        label -> Text,
        colour -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::sql_types::AccountStatus;

    /// A person who can hold money.
    accounts (id) {
        id -> Int8,
        /// What the person types to sign in.
        username -> Text,
        status -> AccountStatus,
        /// In cents; never below zero.
        balance -> Int8,
        created_at -> Timestamptz,
        /// Belongs to one open account at most.
        #[max_length = 254]
        email -> Nullable<Varchar>,
        full_name -> Nullable<Text>,
        /// The full name where there is one, else the username.
        display_name -> Text,
    }
}

diesel::table! {
    /// Money that went from one account to another.
    transfers (id) {
        id -> Int8,
        sender_id -> Int8,
        receiver_id -> Int8,
        /// In cents; above zero.
        amount -> Int8,
        created_at -> Timestamptz,
        /// What the sender's application wants to keep with the transfer.
        details -> Jsonb,
        tags -> Array<Nullable<Text>>,
    }
}

diesel::joinable!(account_labels -> accounts (account_id));

diesel::allow_tables_to_appear_in_same_query!(account_labels, accounts, transfers,);
