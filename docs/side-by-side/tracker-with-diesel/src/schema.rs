// @generated automatically by Diesel CLI.

pub mod sql_types {
    #[derive(diesel::sql_types::SqlType)]
    #[diesel(postgres_type(name = "issue_status"))]
    pub struct IssueStatus;
}

diesel::table! {
    attachments (id) {
        id -> Uuid,
        issue_id -> Int8,
        name -> Text,
        content -> Bytea,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    comments (id) {
        id -> Int8,
        issue_id -> Int8,
        author_id -> Int8,
        parent_id -> Nullable<Int8>,
        body -> Text,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    issue_labels (issue_id, label_id) {
        issue_id -> Int8,
        label_id -> Int8,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use diesel_full_text_search::TsVector as Tsvector;
    use super::sql_types::IssueStatus;

    issues (id) {
        id -> Int8,
        project_id -> Int8,
        number -> Int4,
        author_id -> Int8,
        title -> Text,
        body -> Text,
        status -> IssueStatus,
        tags -> Array<Nullable<Text>>,
        estimate -> Nullable<Numeric>,
        remind_before -> Nullable<Interval>,
        due_on -> Nullable<Date>,
        words -> Tsvector,
        version -> Int4,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        deleted_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    jobs (id) {
        id -> Int8,
        kind -> Text,
        payload -> Jsonb,
        run_at -> Timestamptz,
        attempts -> Int4,
    }
}

diesel::table! {
    labels (id) {
        id -> Int8,
        project_id -> Int8,
        name -> Text,
    }
}

diesel::table! {
    memberships (organisation_id, user_id) {
        organisation_id -> Int8,
        user_id -> Int8,
        role -> Text,
    }
}

diesel::table! {
    organisations (id) {
        id -> Int8,
        name -> Text,
        settings -> Jsonb,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    projects (id) {
        id -> Int8,
        organisation_id -> Int8,
        name -> Text,
        last_number -> Int4,
    }
}

diesel::table! {
    users (id) {
        id -> Int8,
        email -> Citext,
        display_name -> Text,
        password_hash -> Nullable<Text>,
        is_admin -> Bool,
        created_at -> Timestamptz,
    }
}

diesel::joinable!(attachments -> issues (issue_id));
diesel::joinable!(comments -> issues (issue_id));
diesel::joinable!(comments -> users (author_id));
diesel::joinable!(issue_labels -> issues (issue_id));
diesel::joinable!(issue_labels -> labels (label_id));
diesel::joinable!(issues -> projects (project_id));
diesel::joinable!(issues -> users (author_id));
diesel::joinable!(labels -> projects (project_id));
diesel::joinable!(memberships -> organisations (organisation_id));
diesel::joinable!(memberships -> users (user_id));
diesel::joinable!(projects -> organisations (organisation_id));

diesel::allow_tables_to_appear_in_same_query!(
    attachments,
    comments,
    issue_labels,
    issues,
    jobs,
    labels,
    memberships,
    organisations,
    projects,
    users,
);
