// @generated automatically by Diesel CLI.

pub mod sql_types {
    #[derive(diesel::query_builder::QueryId, Clone, diesel::sql_types::SqlType)]
    #[diesel(postgres_type(name = r#"odd "mood" \ */ }"#))]
    pub struct OddMood;
}

diesel::table! {
    #[sql_name = r#"hostile "table" */ {} \"#]
    hostile_table_ (id) {
        id -> Int8,
        #[sql_name = r#"quo"te"#]
        quo_te -> Nullable<Text>,
        #[sql_name = r#"two""quotes"#]
        two_quotes -> Nullable<Text>,
        #[sql_name = "back\\slash"]
        back_slash -> Nullable<Text>,
        #[sql_name = "new\nline"]
        new_line -> Nullable<Text>,
        #[sql_name = "tab\there"]
        tab_here -> Nullable<Text>,
        #[sql_name = "brace{}"]
        brace_ -> Nullable<Text>,
        #[sql_name = "{x}"]
        _x_ -> Nullable<Text>,
        #[sql_name = "*/ end"]
        _end -> Nullable<Text>,
        #[sql_name = "/* begin"]
        _begin -> Nullable<Text>,
        #[sql_name = "// line"]
        _line -> Nullable<Text>,
        #[sql_name = "größe"]
        gr_e -> Nullable<Text>,
        #[sql_name = "日本"]
        __ -> Nullable<Text>,
        #[sql_name = "١"]
        __2 -> Nullable<Text>,
        #[sql_name = "\u{202e}rtl"]
        _rtl -> Nullable<Text>,
        #[sql_name = "🦀"]
        __3 -> Nullable<Text>,
        #[sql_name = "a b"]
        a_b2 -> Nullable<Text>,
        #[sql_name = "a-b"]
        a_b3 -> Nullable<Text>,
        a_b -> Nullable<Text>,
        a__b -> Nullable<Text>,
        #[sql_name = "'single'"]
        _single_ -> Nullable<Text>,
        #[sql_name = "dollar$1"]
        dollar_1 -> Nullable<Text>,
        #[sql_name = "#hash"]
        _hash -> Nullable<Text>,
        #[sql_name = r###"#"both"#"###]
        _both_ -> Nullable<Text>,
        #[sql_name = r#"x"); fn evil() {} //"#]
        x_fn_evil_ -> Nullable<Text>,
        nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn -> Nullable<Text>,
        nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnm -> Nullable<Text>,
        #[sql_name = "%s {0}"]
        _s_0_ -> Nullable<Text>,
        #[sql_name = "\\u{41}"]
        _u_41_ -> Nullable<Text>,
        #[sql_name = "\\"]
        __4 -> Nullable<Text>,
    }
}

diesel::table! {
    options (id) {
        id -> Int8,
        #[sql_name = "table"]
        table_ -> Nullable<Text>,
        #[sql_name = "columns"]
        columns_ -> Nullable<Text>,
        #[sql_name = "is_nullable"]
        is_nullable_ -> Nullable<Text>,
        #[sql_name = "dsl"]
        dsl_ -> Nullable<Text>,
        #[sql_name = "star"]
        star_ -> Nullable<Text>,
        #[sql_name = "all_columns"]
        all_columns_ -> Nullable<Text>,
        #[sql_name = "SqlType"]
        SqlType_ -> Nullable<Text>,
        #[sql_name = "BoxedQuery"]
        BoxedQuery_ -> Nullable<Text>,
        new -> Nullable<Text>,
        changes -> Nullable<Text>,
        page -> Nullable<Text>,
        String -> Nullable<Text>,
        Option -> Nullable<Text>,
        None -> Nullable<Text>,
        Some -> Nullable<Text>,
        #[sql_name = "Ok"]
        Ok_ -> Nullable<Text>,
        Vec -> Nullable<Text>,
        bowline -> Nullable<Text>,
        #[sql_name = "diesel"]
        diesel_ -> Nullable<Text>,
        std -> Nullable<Text>,
        statement -> Nullable<Text>,
        conn -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::sql_types::OddMood;

    #[sql_name = "self"]
    self_ (id) {
        id -> Int8,
        #[sql_name = "type"]
        type_ -> Int8,
        #[sql_name = r#"mood"s"#]
        mood_s -> OddMood,
        #[sql_name = "crate"]
        crate_ -> Text,
    }
}

diesel::table! {
    /// one */ " {}
    /// /// fn evil() {}```rust
    /// panic!()
    ///
    #[sql_name = "type"]
    type_ (id) {
        id -> Int8,
        #[sql_name = "type"]
        type__ -> Nullable<Text>,
        /// \ ends with a backslash \
        #[sql_name = "fn"]
        fn_ -> Nullable<Text>,
        #[sql_name = "r#r#fn"]
        r_fn -> Nullable<Text>,
        #[sql_name = "self"]
        self_ -> Nullable<Text>,
        #[sql_name = "Self"]
        Self_ -> Nullable<Text>,
        #[sql_name = "crate"]
        crate_ -> Nullable<Text>,
        #[sql_name = "super"]
        super_ -> Nullable<Text>,
        #[sql_name = "gen"]
        gen_ -> Nullable<Text>,
        #[sql_name = "async"]
        async_ -> Nullable<Text>,
        #[sql_name = "try"]
        try_ -> Nullable<Text>,
        union -> Nullable<Text>,
        #[sql_name = "dyn"]
        dyn_ -> Nullable<Text>,
        raw -> Nullable<Text>,
        #[sql_name = "static"]
        static_ -> Nullable<Text>,
        macro_rules -> Nullable<Text>,
        #[sql_name = "yield"]
        yield_ -> Nullable<Text>,
        #[sql_name = "_"]
        __ -> Nullable<Text>,
        #[sql_name = "__x"]
        __x_ -> Nullable<Text>,
        #[sql_name = "1st"]
        _1st -> Nullable<Text>,
        id_ -> Nullable<Text>,
    }
}

diesel::joinable!(self_ -> type_ (type_));

diesel::allow_tables_to_appear_in_same_query!(hostile_table_, options, self_, type_,);
