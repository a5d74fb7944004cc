// @generated automatically by Diesel CLI.

diesel::table! {
    articles (id) {
        id -> Int8,
        code -> Int8,
        name -> Text,
        amount -> Int4,
        price -> Float8,
        note -> Nullable<Text>,
    }
}

diesel::table! {
    comments (id) {
        id -> Int8,
        post_id -> Int8,
        body -> Text,
    }
}

diesel::table! {
    items (id) {
        id -> Int8,
        owner_id -> Int8,
        name -> Text,
        amount -> Int4,
        price -> Float8,
        note -> Nullable<Text>,
    }
}

diesel::table! {
    pgbench_accounts (aid) {
        aid -> Int4,
        bid -> Int4,
        abalance -> Int4,
        filler -> Nullable<Text>,
    }
}

diesel::table! {
    pgbench_branches (bid) {
        bid -> Int4,
        bbalance -> Int4,
        filler -> Nullable<Text>,
    }
}

diesel::table! {
    pgbench_history (id) {
        id -> Int8,
        tid -> Int4,
        bid -> Int4,
        aid -> Int4,
        delta -> Int4,
        mtime -> Timestamp,
        filler -> Nullable<Text>,
    }
}

diesel::table! {
    pgbench_tellers (tid) {
        tid -> Int4,
        bid -> Int4,
        tbalance -> Int4,
        filler -> Nullable<Text>,
    }
}

diesel::table! {
    posts (id) {
        id -> Int8,
        user_id -> Int8,
        title -> Text,
    }
}

diesel::table! {
    users (id) {
        id -> Int8,
        name -> Text,
        email -> Text,
        balance -> Int8,
        created_at -> Timestamptz,
        note -> Nullable<Text>,
    }
}

diesel::joinable!(comments -> posts (post_id));
diesel::joinable!(posts -> users (user_id));

diesel::allow_tables_to_appear_in_same_query!(
    articles,
    comments,
    items,
    pgbench_accounts,
    pgbench_branches,
    pgbench_history,
    pgbench_tellers,
    posts,
    users,
);
