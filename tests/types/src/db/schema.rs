// @generated automatically by Diesel CLI.

pub mod sql_types {
    #[derive(diesel::sql_types::SqlType)]
    #[diesel(postgres_type(name = "box", schema = "pg_catalog"))]
    pub struct Box;

    #[derive(diesel::sql_types::SqlType)]
    #[diesel(postgres_type(name = "checked_address"))]
    pub struct CheckedAddress;

    #[derive(diesel::sql_types::SqlType)]
    #[diesel(postgres_type(name = "circle", schema = "pg_catalog"))]
    pub struct Circle;

    #[derive(diesel::sql_types::SqlType)]
    #[diesel(postgres_type(name = "contact"))]
    pub struct Contact;

    #[derive(diesel::sql_types::SqlType)]
    #[diesel(postgres_type(name = "cube"))]
    pub struct Cube;

    #[derive(diesel::sql_types::SqlType)]
    #[diesel(postgres_type(name = "email"))]
    pub struct Email;

    #[derive(diesel::sql_types::SqlType)]
    #[diesel(postgres_type(name = "floatmultirange"))]
    pub struct Floatmultirange;

    #[derive(diesel::sql_types::SqlType)]
    #[diesel(postgres_type(name = "floatrange"))]
    pub struct Floatrange;

    #[derive(diesel::sql_types::SqlType)]
    #[diesel(postgres_type(name = "happy_mood"))]
    pub struct HappyMood;

    #[derive(diesel::sql_types::SqlType)]
    #[diesel(postgres_type(name = "hstore"))]
    pub struct Hstore;

    #[derive(diesel::sql_types::SqlType)]
    #[diesel(postgres_type(name = "jsonpath", schema = "pg_catalog"))]
    pub struct Jsonpath;

    #[derive(diesel::sql_types::SqlType)]
    #[diesel(postgres_type(name = "line", schema = "pg_catalog"))]
    pub struct Line;

    #[derive(diesel::sql_types::SqlType)]
    #[diesel(postgres_type(name = "lquery"))]
    pub struct Lquery;

    #[derive(diesel::sql_types::SqlType)]
    #[diesel(postgres_type(name = "lseg", schema = "pg_catalog"))]
    pub struct Lseg;

    #[derive(diesel::sql_types::SqlType)]
    #[diesel(postgres_type(name = "ltree"))]
    pub struct Ltree;

    #[derive(diesel::sql_types::SqlType)]
    #[diesel(postgres_type(name = "mood"))]
    pub struct Mood;

    #[derive(diesel::sql_types::SqlType)]
    #[diesel(postgres_type(name = "name", schema = "pg_catalog"))]
    pub struct Name;

    #[derive(diesel::sql_types::SqlType)]
    #[diesel(postgres_type(name = "numbers"))]
    pub struct Numbers;

    #[derive(diesel::sql_types::SqlType)]
    #[diesel(postgres_type(name = "path", schema = "pg_catalog"))]
    pub struct Path;

    #[derive(diesel::sql_types::SqlType)]
    #[diesel(postgres_type(name = "pg_snapshot", schema = "pg_catalog"))]
    pub struct PgSnapshot;

    #[derive(diesel::sql_types::SqlType)]
    #[diesel(postgres_type(name = "point", schema = "pg_catalog"))]
    pub struct Point;

    #[derive(diesel::sql_types::SqlType)]
    #[diesel(postgres_type(name = "polygon", schema = "pg_catalog"))]
    pub struct Polygon;

    #[derive(diesel::sql_types::SqlType)]
    #[diesel(postgres_type(name = "postal_address"))]
    pub struct PostalAddress;

    #[derive(diesel::sql_types::SqlType)]
    #[diesel(postgres_type(name = "regclass", schema = "pg_catalog"))]
    pub struct Regclass;

    #[derive(diesel::sql_types::SqlType)]
    #[diesel(postgres_type(name = "regproc", schema = "pg_catalog"))]
    pub struct Regproc;

    #[derive(diesel::sql_types::SqlType)]
    #[diesel(postgres_type(name = "regtype", schema = "pg_catalog"))]
    pub struct Regtype;

    #[derive(diesel::sql_types::SqlType)]
    #[diesel(postgres_type(name = "search_result"))]
    pub struct SearchResult;

    #[derive(diesel::sql_types::SqlType)]
    #[diesel(postgres_type(name = "textrange"))]
    pub struct Textrange;

    #[derive(diesel::sql_types::SqlType)]
    #[diesel(postgres_type(name = "tid", schema = "pg_catalog"))]
    pub struct Tid;

    #[derive(diesel::sql_types::SqlType)]
    #[diesel(postgres_type(name = "timetz", schema = "pg_catalog"))]
    pub struct Timetz;

    #[derive(diesel::sql_types::SqlType)]
    #[diesel(postgres_type(name = "tsquery", schema = "pg_catalog"))]
    pub struct Tsquery;

    #[derive(diesel::sql_types::SqlType)]
    #[diesel(postgres_type(name = "tsvector", schema = "pg_catalog"))]
    pub struct Tsvector;

    #[derive(diesel::sql_types::SqlType)]
    #[diesel(postgres_type(name = "varbit", schema = "pg_catalog"))]
    pub struct Varbit;

    #[derive(diesel::sql_types::SqlType)]
    #[diesel(postgres_type(name = "work_email"))]
    pub struct WorkEmail;

    #[derive(diesel::sql_types::SqlType)]
    #[diesel(postgres_type(name = "xid", schema = "pg_catalog"))]
    pub struct Xid;

    #[derive(diesel::sql_types::SqlType)]
    #[diesel(postgres_type(name = "xid8", schema = "pg_catalog"))]
    pub struct Xid8;

    #[derive(diesel::sql_types::SqlType)]
    #[diesel(postgres_type(name = "xml", schema = "pg_catalog"))]
    pub struct Xml;
}

diesel::table! {
    use diesel::sql_types::*;
    use super::sql_types::PostalAddress;

    address_keys (key) {
        key -> PostalAddress,
        note -> Text,
    }
}

diesel::table! {
    addresses (id) {
        id -> Int8,
        inet_value -> Inet,
        inet_value_or_null -> Nullable<Inet>,
        inet_list -> Nullable<Array<Nullable<Inet>>>,
        cidr_value -> Cidr,
        cidr_value_or_null -> Nullable<Cidr>,
        cidr_list -> Nullable<Array<Nullable<Cidr>>>,
        macaddr_value -> Macaddr,
        macaddr_value_or_null -> Nullable<Macaddr>,
        macaddr_list -> Nullable<Array<Nullable<Macaddr>>>,
        macaddr8_value -> Macaddr8,
        macaddr8_value_or_null -> Nullable<Macaddr8>,
        macaddr8_list -> Nullable<Array<Nullable<Macaddr8>>>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::sql_types::Mood;
    use super::sql_types::WorkEmail;
    use super::sql_types::Email;
    use super::sql_types::HappyMood;
    use super::sql_types::SearchResult;
    use super::sql_types::Numbers;

    arrays (id) {
        id -> Int8,
        tags -> Array<Nullable<Text>>,
        moods -> Nullable<Array<Nullable<Mood>>>,
        numbers -> Array<Nullable<Int4>>,
        grid -> Array<Nullable<Int4>>,
        work_emails -> Nullable<Array<Nullable<WorkEmail>>>,
        work_email -> Nullable<Email>,
        happy_moods -> Nullable<Array<Nullable<HappyMood>>>,
        results -> Nullable<SearchResult>,
        rows_of_numbers -> Nullable<Numbers>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::sql_types::Varbit;

    bit_keys (key) {
        key -> Varbit,
        note -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::sql_types::Varbit;
    use super::sql_types::Mood;

    bits_and_moods (bits, mood) {
        bits -> Varbit,
        mood -> Mood,
        note -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::sql_types::Varbit;
    use super::sql_types::Point;
    use super::sql_types::Line;
    use super::sql_types::Lseg;
    use super::sql_types::Box;
    use super::sql_types::Path;
    use super::sql_types::Polygon;
    use super::sql_types::Circle;

    bits_and_shapes (id) {
        id -> Int8,
        #[max_length = 5]
        bit_value -> Bit,
        #[max_length = 5]
        bit_value_or_null -> Nullable<Bit>,
        bit_list -> Nullable<Array<Nullable<Bit>>>,
        varbit_value -> Varbit,
        varbit_value_or_null -> Nullable<Varbit>,
        varbit_list -> Nullable<Array<Nullable<Varbit>>>,
        point_value -> Point,
        point_value_or_null -> Nullable<Point>,
        point_list -> Nullable<Array<Nullable<Point>>>,
        line_value -> Line,
        line_value_or_null -> Nullable<Line>,
        line_list -> Nullable<Array<Nullable<Line>>>,
        lseg_value -> Lseg,
        lseg_value_or_null -> Nullable<Lseg>,
        lseg_list -> Nullable<Array<Nullable<Lseg>>>,
        box_value -> Box,
        box_value_or_null -> Nullable<Box>,
        box_list -> Nullable<Array<Nullable<Box>>>,
        path_value -> Path,
        path_value_or_null -> Nullable<Path>,
        path_list -> Nullable<Array<Nullable<Path>>>,
        polygon_value -> Polygon,
        polygon_value_or_null -> Nullable<Polygon>,
        polygon_list -> Nullable<Array<Nullable<Polygon>>>,
        circle_value -> Circle,
        circle_value_or_null -> Nullable<Circle>,
        circle_list -> Nullable<Array<Nullable<Circle>>>,
    }
}

diesel::table! {
    bytes_keys (key) {
        key -> Bytea,
        note -> Text,
    }
}

diesel::table! {
    char_keys (key) {
        key -> Char,
        note -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::sql_types::Jsonpath;
    use super::sql_types::Xml;

    documents (id) {
        id -> Int8,
        json_value -> Json,
        json_value_or_null -> Nullable<Json>,
        json_list -> Nullable<Array<Nullable<Json>>>,
        jsonb_value -> Jsonb,
        jsonb_value_or_null -> Nullable<Jsonb>,
        jsonb_list -> Nullable<Array<Nullable<Jsonb>>>,
        jsonpath_value -> Jsonpath,
        jsonpath_value_or_null -> Nullable<Jsonpath>,
        jsonpath_list -> Nullable<Array<Nullable<Jsonpath>>>,
        xml_value -> Xml,
        xml_value_or_null -> Nullable<Xml>,
        xml_list -> Nullable<Array<Nullable<Xml>>>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::sql_types::Email;

    email_keys (key) {
        key -> Email,
        note -> Text,
    }
}

diesel::table! {
    inet_keys (key) {
        key -> Inet,
        note -> Text,
    }
}

diesel::table! {
    interval_keys (key) {
        key -> Interval,
        note -> Text,
    }
}

diesel::table! {
    json_keys (key) {
        key -> Jsonb,
        note -> Text,
    }
}

diesel::table! {
    lsn_keys (key) {
        key -> PgLsn,
        note -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::sql_types::Ltree;

    ltree_keys (key) {
        key -> Ltree,
        note -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::sql_types::Mood;

    mood_keys (key) {
        key -> Mood,
        note -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::sql_types::Floatmultirange;

    multiranges (id) {
        id -> Int8,
        int4multirange_value -> Int4multirange,
        int4multirange_value_or_null -> Nullable<Int4multirange>,
        int4multirange_list -> Nullable<Array<Nullable<Int4multirange>>>,
        int8multirange_value -> Int8multirange,
        int8multirange_value_or_null -> Nullable<Int8multirange>,
        int8multirange_list -> Nullable<Array<Nullable<Int8multirange>>>,
        nummultirange_value -> Nummultirange,
        nummultirange_value_or_null -> Nullable<Nummultirange>,
        nummultirange_list -> Nullable<Array<Nullable<Nummultirange>>>,
        datemultirange_value -> Datemultirange,
        datemultirange_value_or_null -> Nullable<Datemultirange>,
        datemultirange_list -> Nullable<Array<Nullable<Datemultirange>>>,
        tsmultirange_value -> Tsmultirange,
        tsmultirange_value_or_null -> Nullable<Tsmultirange>,
        tsmultirange_list -> Nullable<Array<Nullable<Tsmultirange>>>,
        tstzmultirange_value -> Tstzmultirange,
        tstzmultirange_value_or_null -> Nullable<Tstzmultirange>,
        tstzmultirange_list -> Nullable<Array<Nullable<Tstzmultirange>>>,
        floatmultirange_value -> Floatmultirange,
        floatmultirange_value_or_null -> Nullable<Floatmultirange>,
        floatmultirange_list -> Nullable<Array<Nullable<Floatmultirange>>>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::sql_types::Name;

    name_keys (key) {
        key -> Name,
        note -> Text,
    }
}

diesel::table! {
    numbers (id) {
        id -> Int8,
        bool_value -> Bool,
        bool_value_or_null -> Nullable<Bool>,
        bool_list -> Nullable<Array<Nullable<Bool>>>,
        int2_value -> Int2,
        int2_value_or_null -> Nullable<Int2>,
        int2_list -> Nullable<Array<Nullable<Int2>>>,
        int4_value -> Int4,
        int4_value_or_null -> Nullable<Int4>,
        int4_list -> Nullable<Array<Nullable<Int4>>>,
        int8_value -> Int8,
        int8_value_or_null -> Nullable<Int8>,
        int8_list -> Nullable<Array<Nullable<Int8>>>,
        float4_value -> Float4,
        float4_value_or_null -> Nullable<Float4>,
        float4_list -> Nullable<Array<Nullable<Float4>>>,
        float8_value -> Float8,
        float8_value_or_null -> Nullable<Float8>,
        float8_list -> Nullable<Array<Nullable<Float8>>>,
        numeric_value -> Numeric,
        numeric_value_or_null -> Nullable<Numeric>,
        numeric_list -> Nullable<Array<Nullable<Numeric>>>,
        money_value -> Money,
        money_value_or_null -> Nullable<Money>,
        money_list -> Nullable<Array<Nullable<Money>>>,
        oid_value -> Oid,
        oid_value_or_null -> Nullable<Oid>,
        oid_list -> Nullable<Array<Nullable<Oid>>>,
        char_value -> Char,
        char_value_or_null -> Nullable<Char>,
        char_list -> Nullable<Array<Nullable<Char>>>,
    }
}

diesel::table! {
    numeric_keys (key) {
        key -> Numeric,
        note -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::sql_types::Mood;
    use super::sql_types::Email;
    use super::sql_types::HappyMood;
    use super::sql_types::PostalAddress;
    use super::sql_types::Contact;
    use super::sql_types::CheckedAddress;

    own_types (id) {
        id -> Int8,
        mood_value -> Mood,
        mood_value_or_null -> Nullable<Mood>,
        mood_list -> Nullable<Array<Nullable<Mood>>>,
        email_value -> Text,
        email_value_or_null -> Nullable<Text>,
        email_list -> Nullable<Array<Nullable<Email>>>,
        happy_mood_value -> Mood,
        happy_mood_value_or_null -> Nullable<Mood>,
        happy_mood_list -> Nullable<Array<Nullable<HappyMood>>>,
        postal_address_value -> PostalAddress,
        postal_address_value_or_null -> Nullable<PostalAddress>,
        postal_address_list -> Nullable<Array<Nullable<PostalAddress>>>,
        contact_value -> Contact,
        contact_value_or_null -> Nullable<Contact>,
        contact_list -> Nullable<Array<Nullable<Contact>>>,
        checked_address_value -> PostalAddress,
        checked_address_value_or_null -> Nullable<PostalAddress>,
        checked_address_list -> Nullable<Array<Nullable<CheckedAddress>>>,
        emails_value -> Array<Nullable<Email>>,
        emails_value_or_null -> Nullable<Array<Nullable<Email>>>,
    }
}

diesel::table! {
    padded_keys (key) {
        #[max_length = 3]
        key -> Bpchar,
        note -> Text,
    }
}

diesel::table! {
    padded_places (country, code) {
        #[max_length = 3]
        country -> Bpchar,
        #[max_length = 5]
        code -> Bpchar,
        #[max_length = 5]
        zip -> Bpchar,
    }
}

diesel::table! {
    range_keys (key) {
        key -> Int4range,
        note -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::sql_types::Floatrange;
    use super::sql_types::Textrange;

    ranges (id) {
        id -> Int8,
        int4range_value -> Int4range,
        int4range_value_or_null -> Nullable<Int4range>,
        int4range_list -> Nullable<Array<Nullable<Int4range>>>,
        int8range_value -> Int8range,
        int8range_value_or_null -> Nullable<Int8range>,
        int8range_list -> Nullable<Array<Nullable<Int8range>>>,
        numrange_value -> Numrange,
        numrange_value_or_null -> Nullable<Numrange>,
        numrange_list -> Nullable<Array<Nullable<Numrange>>>,
        daterange_value -> Daterange,
        daterange_value_or_null -> Nullable<Daterange>,
        daterange_list -> Nullable<Array<Nullable<Daterange>>>,
        tsrange_value -> Tsrange,
        tsrange_value_or_null -> Nullable<Tsrange>,
        tsrange_list -> Nullable<Array<Nullable<Tsrange>>>,
        tstzrange_value -> Tstzrange,
        tstzrange_value_or_null -> Nullable<Tstzrange>,
        tstzrange_list -> Nullable<Array<Nullable<Tstzrange>>>,
        floatrange_value -> Floatrange,
        floatrange_value_or_null -> Nullable<Floatrange>,
        floatrange_list -> Nullable<Array<Nullable<Floatrange>>>,
        textrange_value -> Textrange,
        textrange_value_or_null -> Nullable<Textrange>,
        textrange_list -> Nullable<Array<Nullable<Textrange>>>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::sql_types::Tsvector;
    use super::sql_types::Tsquery;
    use super::sql_types::Hstore;
    use super::sql_types::Ltree;
    use super::sql_types::Lquery;
    use super::sql_types::Cube;

    searches (id) {
        id -> Int8,
        tsvector_value -> Tsvector,
        tsvector_value_or_null -> Nullable<Tsvector>,
        tsvector_list -> Nullable<Array<Nullable<Tsvector>>>,
        tsquery_value -> Tsquery,
        tsquery_value_or_null -> Nullable<Tsquery>,
        tsquery_list -> Nullable<Array<Nullable<Tsquery>>>,
        hstore_value -> Hstore,
        hstore_value_or_null -> Nullable<Hstore>,
        hstore_list -> Nullable<Array<Nullable<Hstore>>>,
        ltree_value -> Ltree,
        ltree_value_or_null -> Nullable<Ltree>,
        ltree_list -> Nullable<Array<Nullable<Ltree>>>,
        lquery_value -> Lquery,
        lquery_value_or_null -> Nullable<Lquery>,
        lquery_list -> Nullable<Array<Nullable<Lquery>>>,
        cube_value -> Cube,
        cube_value_or_null -> Nullable<Cube>,
        cube_list -> Nullable<Array<Nullable<Cube>>>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::sql_types::Xid;
    use super::sql_types::Xid8;
    use super::sql_types::Tid;
    use super::sql_types::PgSnapshot;
    use super::sql_types::Regclass;
    use super::sql_types::Regtype;
    use super::sql_types::Regproc;

    systems (id) {
        id -> Int8,
        pg_lsn_value -> PgLsn,
        pg_lsn_value_or_null -> Nullable<PgLsn>,
        pg_lsn_list -> Nullable<Array<Nullable<PgLsn>>>,
        xid_value -> Xid,
        xid_value_or_null -> Nullable<Xid>,
        xid_list -> Nullable<Array<Nullable<Xid>>>,
        xid8_value -> Xid8,
        xid8_value_or_null -> Nullable<Xid8>,
        xid8_list -> Nullable<Array<Nullable<Xid8>>>,
        tid_value -> Tid,
        tid_value_or_null -> Nullable<Tid>,
        tid_list -> Nullable<Array<Nullable<Tid>>>,
        pg_snapshot_value -> PgSnapshot,
        pg_snapshot_value_or_null -> Nullable<PgSnapshot>,
        pg_snapshot_list -> Nullable<Array<Nullable<PgSnapshot>>>,
        regclass_value -> Regclass,
        regclass_value_or_null -> Nullable<Regclass>,
        regclass_list -> Nullable<Array<Nullable<Regclass>>>,
        regtype_value -> Regtype,
        regtype_value_or_null -> Nullable<Regtype>,
        regtype_list -> Nullable<Array<Nullable<Regtype>>>,
        regproc_value -> Regproc,
        regproc_value_or_null -> Nullable<Regproc>,
        regproc_list -> Nullable<Array<Nullable<Regproc>>>,
    }
}

diesel::table! {
    text_list_keys (key) {
        key -> Array<Nullable<Text>>,
        note -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::sql_types::Name;

    texts (id) {
        id -> Int8,
        text_value -> Text,
        text_value_or_null -> Nullable<Text>,
        text_list -> Nullable<Array<Nullable<Text>>>,
        #[max_length = 20]
        varchar_value -> Varchar,
        #[max_length = 20]
        varchar_value_or_null -> Nullable<Varchar>,
        varchar_list -> Nullable<Array<Nullable<Varchar>>>,
        #[max_length = 5]
        char_value -> Bpchar,
        #[max_length = 5]
        char_value_or_null -> Nullable<Bpchar>,
        char_list -> Nullable<Array<Nullable<Bpchar>>>,
        name_value -> Name,
        name_value_or_null -> Nullable<Name>,
        name_list -> Nullable<Array<Nullable<Name>>>,
        citext_value -> Citext,
        citext_value_or_null -> Nullable<Citext>,
        citext_list -> Nullable<Array<Nullable<Citext>>>,
        bytea_value -> Bytea,
        bytea_value_or_null -> Nullable<Bytea>,
        bytea_list -> Nullable<Array<Nullable<Bytea>>>,
        uuid_value -> Uuid,
        uuid_value_or_null -> Nullable<Uuid>,
        uuid_list -> Nullable<Array<Nullable<Uuid>>>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::sql_types::Timetz;

    times (id) {
        id -> Int8,
        date_value -> Date,
        date_value_or_null -> Nullable<Date>,
        date_list -> Nullable<Array<Nullable<Date>>>,
        time_value -> Time,
        time_value_or_null -> Nullable<Time>,
        time_list -> Nullable<Array<Nullable<Time>>>,
        timestamp_value -> Timestamp,
        timestamp_value_or_null -> Nullable<Timestamp>,
        timestamp_list -> Nullable<Array<Nullable<Timestamp>>>,
        timestamptz_value -> Timestamptz,
        timestamptz_value_or_null -> Nullable<Timestamptz>,
        timestamptz_list -> Nullable<Array<Nullable<Timestamptz>>>,
        interval_value -> Interval,
        interval_value_or_null -> Nullable<Interval>,
        interval_list -> Nullable<Array<Nullable<Interval>>>,
        timetz_value -> Timetz,
        timetz_value_or_null -> Nullable<Timetz>,
        timetz_list -> Nullable<Array<Nullable<Timetz>>>,
    }
}

diesel::table! {
    timestamptz_keys (key) {
        key -> Timestamptz,
        note -> Text,
    }
}

diesel::joinable!(padded_places -> padded_keys (country));

diesel::allow_tables_to_appear_in_same_query!(
    address_keys,
    addresses,
    arrays,
    bit_keys,
    bits_and_moods,
    bits_and_shapes,
    bytes_keys,
    char_keys,
    documents,
    email_keys,
    inet_keys,
    interval_keys,
    json_keys,
    lsn_keys,
    ltree_keys,
    mood_keys,
    multiranges,
    name_keys,
    numbers,
    numeric_keys,
    own_types,
    padded_keys,
    padded_places,
    range_keys,
    ranges,
    searches,
    systems,
    text_list_keys,
    texts,
    times,
    timestamptz_keys,
);
