//! Each type in a table for its family: inserted, changed, read, in arrays, in JSON, by COPY, in a
//! query file and in `query!`. The values come from PostgreSQL's text format.

use bowline::{Database, Result, StatementDsl as _, sql_query};
use diesel::prelude::*;
use every_type::db::*;

/// Returns the number of different rows of a table, apart from their ids.
fn different(db: &Database, table: &str) -> Result<i64> {
    let sql = format!("SELECT count(DISTINCT (to_jsonb(t) - 'id')::text) FROM {table} t");
    db.run(sql_query(&sql).one::<(i64,)>())
        .map(|(count,)| count)
}

/// Tests a family of types: two rows that PostgreSQL created are read, inserted again, and
/// compared.
macro_rules! family {
    ($test:ident, $module:ident, $Row:ident, $Values:ident, $Changes:ident, $query:path, [$($sql:literal),+]) => {
        #[bowline::test]
        fn $test(db: Database) -> Result<()> {
            let table = stringify!($module);
            $(db.run(sql_query($sql).exactly(1))?;)+
            let read = db.run($Row::list(bowline::Page::first(10)))?;
            assert_eq!(read.len(), 2);
            let json = |row: &$Row| {
                let mut json = serde_json::to_value(row).expect("JSON");
                json.as_object_mut().expect("an object").remove("id");
                json
            };
            let new = |row: &$Row| serde_json::from_value::<$Values>(json(row)).expect("a new row");
            let changes =
                |row: &$Row| serde_json::from_value::<$Changes>(json(row)).expect("changes");
            let same = |one: &$Row, other: &$Row| {
                let other = $Row { id: one.id, ..other.clone() };
                assert_eq!(*one, other);
            };
            let inserted = db.run($Row::insert(new(&read[0])))?;
            same(&inserted, &read[0]);
            let many = db.run($Row::insert_many(read.iter().map(new).collect()))?;
            assert_eq!(many.len(), 2);
            many.iter().zip(&read).for_each(|(one, other)| same(one, other));
            assert_eq!(different(&db, table)?, 2);
            let changed = db.run($Row::update(inserted.id, changes(&read[1])))?;
            same(&changed, &read[1]);
            let back = db.run($Row::update(inserted.id, changes(&read[0])))?;
            same(&back, &read[0]);
            assert_eq!(db.run($Row::update(inserted.id, $Changes::default()))?, back);
            assert_eq!(different(&db, table)?, 2);
            // A query file, diesel's own queries, and binary COPY.
            let all = db.run($query())?;
            assert_eq!(all[..2], read[..]);
            assert_eq!(all.len(), 5);
            let by_diesel = schema::$module::table.order(schema::$module::id).select($Row::as_select());
            assert_eq!(db.run(by_diesel.all::<$Row>())?, all);
            let copied: Result<Vec<$Row>> = db.copy_out($query())?.collect();
            assert_eq!(copied?, all);
            Ok(())
        }
    };
}

family!(
    numbers_make_a_round_trip,
    numbers,
    Number,
    NumberValues,
    NumberChanges,
    queries::families::all_numbers,
    [
        r#"INSERT INTO numbers (bool_value, bool_value_or_null, bool_list, int2_value, int2_value_or_null, int2_list, int4_value, int4_value_or_null, int4_list, int8_value, int8_value_or_null, int8_list, float4_value, float4_value_or_null, float4_list, float8_value, float8_value_or_null, float8_list, numeric_value, numeric_value_or_null, numeric_list, money_value, money_value_or_null, money_list, oid_value, oid_value_or_null, oid_list, char_value, char_value_or_null, char_list) VALUES ('true', 'true', ARRAY['true'::bool, NULL], '-32768', '-32768', ARRAY['-32768'::int2, NULL], '-2147483648', '-2147483648', ARRAY['-2147483648'::int4, NULL], '-9223372036854775808', '-9223372036854775808', ARRAY['-9223372036854775808'::int8, NULL], '1.5', '1.5', ARRAY['1.5'::float4, NULL], '5e-324', '5e-324', ARRAY['5e-324'::float8, NULL], '0.00000000000000000001', '0.00000000000000000001', ARRAY['0.00000000000000000001'::numeric, NULL], '12.34', '12.34', ARRAY['12.34'::money, NULL], '0', '0', ARRAY['0'::oid, NULL], 'a', 'a', ARRAY['a'::"char", NULL])"#,
        r#"INSERT INTO numbers (bool_value, bool_value_or_null, bool_list, int2_value, int2_value_or_null, int2_list, int4_value, int4_value_or_null, int4_list, int8_value, int8_value_or_null, int8_list, float4_value, float4_value_or_null, float4_list, float8_value, float8_value_or_null, float8_list, numeric_value, numeric_value_or_null, numeric_list, money_value, money_value_or_null, money_list, oid_value, oid_value_or_null, oid_list, char_value, char_value_or_null, char_list) VALUES ('false', NULL, '{}', '32767', NULL, '{}', '2147483647', NULL, '{}', '9223372036854775807', NULL, '{}', '-3.4e38', NULL, '{}', '1.7976931348623157e308', NULL, '{}', '-123456789012345678901234567890.5', NULL, '{}', '-92233720368547758.08', NULL, '{}', '4294967295', NULL, '{}', '\377', NULL, '{}')"#
    ]
);

family!(
    texts_make_a_round_trip,
    texts,
    Text,
    TextValues,
    TextChanges,
    queries::families::all_texts,
    [
        r#"INSERT INTO texts (text_value, text_value_or_null, text_list, varchar_value, varchar_value_or_null, varchar_list, char_value, char_value_or_null, char_list, name_value, name_value_or_null, name_list, citext_value, citext_value_or_null, citext_list, bytea_value, bytea_value_or_null, bytea_list, uuid_value, uuid_value_or_null, uuid_list) VALUES ('', '', ARRAY[''::text, NULL], 'x', 'x', ARRAY['x'::varchar(20), NULL], 'ab', 'ab', ARRAY['ab'::char(5), NULL], 'a', 'a', ARRAY['a'::name, NULL], 'MiXed', 'MiXed', ARRAY['MiXed'::citext, NULL], '\x', '\x', ARRAY['\x'::bytea, NULL], '00000000-0000-0000-0000-000000000000', '00000000-0000-0000-0000-000000000000', ARRAY['00000000-0000-0000-0000-000000000000'::uuid, NULL])"#,
        r#"INSERT INTO texts (text_value, text_value_or_null, text_list, varchar_value, varchar_value_or_null, varchar_list, char_value, char_value_or_null, char_list, name_value, name_value_or_null, name_list, citext_value, citext_value_or_null, citext_list, bytea_value, bytea_value_or_null, bytea_list, uuid_value, uuid_value_or_null, uuid_list) VALUES ('ö🦀 ''quoted''', NULL, '{}', '12345678901234567890', NULL, '{}', '12345', NULL, '{}', 'pg_catalog', NULL, '{}', '', NULL, '{}', '\x00ff10', NULL, '{}', 'ffffffff-ffff-ffff-ffff-ffffffffffff', NULL, '{}')"#
    ]
);

family!(
    documents_make_a_round_trip,
    documents,
    Document,
    DocumentValues,
    DocumentChanges,
    queries::families::all_documents,
    [
        r#"INSERT INTO documents (json_value, json_value_or_null, json_list, jsonb_value, jsonb_value_or_null, jsonb_list, jsonpath_value, jsonpath_value_or_null, jsonpath_list, xml_value, xml_value_or_null, xml_list) VALUES ('{"a": [1, null]}', '{"a": [1, null]}', ARRAY['{"a": [1, null]}'::json, NULL], '{"a": [1, null]}', '{"a": [1, null]}', ARRAY['{"a": [1, null]}'::jsonb, NULL], '$.a[*] ? (@ > 1)', '$.a[*] ? (@ > 1)', ARRAY['$.a[*] ? (@ > 1)'::jsonpath, NULL], '<a>b</a>', '<a>b</a>', ARRAY['<a>b</a>'::xml, NULL])"#,
        r#"INSERT INTO documents (json_value, json_value_or_null, json_list, jsonb_value, jsonb_value_or_null, jsonb_list, jsonpath_value, jsonpath_value_or_null, jsonpath_list, xml_value, xml_value_or_null, xml_list) VALUES ('"x"', NULL, '{}', '"text"', NULL, '{}', '$', NULL, '{}', 'text', NULL, '{}')"#
    ]
);

family!(
    times_make_a_round_trip,
    times,
    Time,
    TimeValues,
    TimeChanges,
    queries::families::all_times,
    [
        "INSERT INTO times (date_value, date_value_or_null, date_list, time_value, time_value_or_null, time_list, timestamp_value, timestamp_value_or_null, timestamp_list, timestamptz_value, timestamptz_value_or_null, timestamptz_list, interval_value, interval_value_or_null, interval_list, timetz_value, timetz_value_or_null, timetz_list) VALUES ('2000-01-01', '2000-01-01', ARRAY['2000-01-01'::date, NULL], '23:59:59.999999', '23:59:59.999999', ARRAY['23:59:59.999999'::time, NULL], '2000-01-01 00:00:00.000001', '2000-01-01 00:00:00.000001', ARRAY['2000-01-01 00:00:00.000001'::timestamp, NULL], '2024-02-29 23:59:59.999999+00', '2024-02-29 23:59:59.999999+00', ARRAY['2024-02-29 23:59:59.999999+00'::timestamptz, NULL], '1 year -2 mons 3 days -04:05:06.789', '1 year -2 mons 3 days -04:05:06.789', ARRAY['1 year -2 mons 3 days -04:05:06.789'::interval, NULL], '23:59:59.999999+15:59', '23:59:59.999999+15:59', ARRAY['23:59:59.999999+15:59'::timetz, NULL])",
        "INSERT INTO times (date_value, date_value_or_null, date_list, time_value, time_value_or_null, time_list, timestamp_value, timestamp_value_or_null, timestamp_list, timestamptz_value, timestamptz_value_or_null, timestamptz_list, interval_value, interval_value_or_null, interval_list, timetz_value, timetz_value_or_null, timetz_list) VALUES ('0001-01-01', NULL, '{}', '00:00:00', NULL, '{}', '1582-10-15 12:00:00', NULL, '{}', '1900-01-01 00:00:00+00', NULL, '{}', '-178000000 years', NULL, '{}', '00:00:00-15:59', NULL, '{}')"
    ]
);

family!(
    addresses_make_a_round_trip,
    addresses,
    Address,
    AddressValues,
    AddressChanges,
    queries::families::all_addresses,
    [
        "INSERT INTO addresses (inet_value, inet_value_or_null, inet_list, cidr_value, cidr_value_or_null, cidr_list, macaddr_value, macaddr_value_or_null, macaddr_list, macaddr8_value, macaddr8_value_or_null, macaddr8_list) VALUES ('10.1.2.3/8', '10.1.2.3/8', ARRAY['10.1.2.3/8'::inet, NULL], '10.0.0.0/8', '10.0.0.0/8', ARRAY['10.0.0.0/8'::cidr, NULL], '08:00:2b:01:02:03', '08:00:2b:01:02:03', ARRAY['08:00:2b:01:02:03'::macaddr, NULL], '08:00:2b:01:02:03:04:05', '08:00:2b:01:02:03:04:05', ARRAY['08:00:2b:01:02:03:04:05'::macaddr8, NULL])",
        "INSERT INTO addresses (inet_value, inet_value_or_null, inet_list, cidr_value, cidr_value_or_null, cidr_list, macaddr_value, macaddr_value_or_null, macaddr_list, macaddr8_value, macaddr8_value_or_null, macaddr8_list) VALUES ('::1/128', NULL, '{}', '2001:db8::/32', NULL, '{}', 'ff:ff:ff:ff:ff:ff', NULL, '{}', '00:00:00:00:00:00:00:00', NULL, '{}')"
    ]
);

family!(
    ranges_make_a_round_trip,
    ranges,
    Range,
    RangeValues,
    RangeChanges,
    queries::families::all_ranges,
    [
        "INSERT INTO ranges (int4range_value, int4range_value_or_null, int4range_list, int8range_value, int8range_value_or_null, int8range_list, numrange_value, numrange_value_or_null, numrange_list, daterange_value, daterange_value_or_null, daterange_list, tsrange_value, tsrange_value_or_null, tsrange_list, tstzrange_value, tstzrange_value_or_null, tstzrange_list, floatrange_value, floatrange_value_or_null, floatrange_list, textrange_value, textrange_value_or_null, textrange_list) VALUES ('[1,5)', '[1,5)', ARRAY['[1,5)'::int4range, NULL], '(,9223372036854775807)', '(,9223372036854775807)', ARRAY['(,9223372036854775807)'::int8range, NULL], '(0.5,1.5]', '(0.5,1.5]', ARRAY['(0.5,1.5]'::numrange, NULL], '[2000-01-01,2000-02-01)', '[2000-01-01,2000-02-01)', ARRAY['[2000-01-01,2000-02-01)'::daterange, NULL], '[2000-01-01 00:00,)', '[2000-01-01 00:00,)', ARRAY['[2000-01-01 00:00,)'::tsrange, NULL], '[2000-01-01 00:00+00,2001-01-01 00:00+00]', '[2000-01-01 00:00+00,2001-01-01 00:00+00]', ARRAY['[2000-01-01 00:00+00,2001-01-01 00:00+00]'::tstzrange, NULL], '[0.5,1.5)', '[0.5,1.5)', ARRAY['[0.5,1.5)'::floatrange, NULL], '[a,b]', '[a,b]', ARRAY['[a,b]'::textrange, NULL])",
        "INSERT INTO ranges (int4range_value, int4range_value_or_null, int4range_list, int8range_value, int8range_value_or_null, int8range_list, numrange_value, numrange_value_or_null, numrange_list, daterange_value, daterange_value_or_null, daterange_list, tsrange_value, tsrange_value_or_null, tsrange_list, tstzrange_value, tstzrange_value_or_null, tstzrange_list, floatrange_value, floatrange_value_or_null, floatrange_list, textrange_value, textrange_value_or_null, textrange_list) VALUES ('empty', NULL, '{}', 'empty', NULL, '{}', '(,)', NULL, '{}', 'empty', NULL, '{}', 'empty', NULL, '{}', '(,)', NULL, '{}', 'empty', NULL, '{}', 'empty', NULL, '{}')"
    ]
);

family!(
    multiranges_make_a_round_trip,
    multiranges,
    Multirange,
    MultirangeValues,
    MultirangeChanges,
    queries::families::all_multiranges,
    [
        "INSERT INTO multiranges (int4multirange_value, int4multirange_value_or_null, int4multirange_list, int8multirange_value, int8multirange_value_or_null, int8multirange_list, nummultirange_value, nummultirange_value_or_null, nummultirange_list, datemultirange_value, datemultirange_value_or_null, datemultirange_list, tsmultirange_value, tsmultirange_value_or_null, tsmultirange_list, tstzmultirange_value, tstzmultirange_value_or_null, tstzmultirange_list, floatmultirange_value, floatmultirange_value_or_null, floatmultirange_list) VALUES ('{[1,5),[7,9)}', '{[1,5),[7,9)}', ARRAY['{[1,5),[7,9)}'::int4multirange, NULL], '{(,5)}', '{(,5)}', ARRAY['{(,5)}'::int8multirange, NULL], '{(0.5,1.5]}', '{(0.5,1.5]}', ARRAY['{(0.5,1.5]}'::nummultirange, NULL], '{[2000-01-01,2000-02-01)}', '{[2000-01-01,2000-02-01)}', ARRAY['{[2000-01-01,2000-02-01)}'::datemultirange, NULL], '{[2000-01-01 00:00,)}', '{[2000-01-01 00:00,)}', ARRAY['{[2000-01-01 00:00,)}'::tsmultirange, NULL], '{[2000-01-01 00:00+00,2001-01-01 00:00+00]}', '{[2000-01-01 00:00+00,2001-01-01 00:00+00]}', ARRAY['{[2000-01-01 00:00+00,2001-01-01 00:00+00]}'::tstzmultirange, NULL], '{[0.5,1.5)}', '{[0.5,1.5)}', ARRAY['{[0.5,1.5)}'::floatmultirange, NULL])",
        "INSERT INTO multiranges (int4multirange_value, int4multirange_value_or_null, int4multirange_list, int8multirange_value, int8multirange_value_or_null, int8multirange_list, nummultirange_value, nummultirange_value_or_null, nummultirange_list, datemultirange_value, datemultirange_value_or_null, datemultirange_list, tsmultirange_value, tsmultirange_value_or_null, tsmultirange_list, tstzmultirange_value, tstzmultirange_value_or_null, tstzmultirange_list, floatmultirange_value, floatmultirange_value_or_null, floatmultirange_list) VALUES ('{}', NULL, '{}', '{}', NULL, '{}', '{(,)}', NULL, '{}', '{}', NULL, '{}', '{}', NULL, '{}', '{}', NULL, '{}', '{}', NULL, '{}')"
    ]
);

family!(
    bits_and_shapes_make_a_round_trip,
    bits_and_shapes,
    BitsAndShape,
    BitsAndShapeValues,
    BitsAndShapeChanges,
    queries::families::all_bits_and_shapes,
    [
        "INSERT INTO bits_and_shapes (bit_value, bit_value_or_null, bit_list, varbit_value, varbit_value_or_null, varbit_list, point_value, point_value_or_null, point_list, line_value, line_value_or_null, line_list, lseg_value, lseg_value_or_null, lseg_list, box_value, box_value_or_null, box_list, path_value, path_value_or_null, path_list, polygon_value, polygon_value_or_null, polygon_list, circle_value, circle_value_or_null, circle_list) VALUES ('10101', '10101', ARRAY['10101'::bit(5), NULL], '1', '1', ARRAY['1'::varbit, NULL], '(1.5,-2)', '(1.5,-2)', ARRAY['(1.5,-2)'::point, NULL], '{1,2,3}', '{1,2,3}', ARRAY['{1,2,3}'::line, NULL], '[(0,0),(1,1)]', '[(0,0),(1,1)]', ARRAY['[(0,0),(1,1)]'::lseg, NULL], '(1,1),(0,0)', '(1,1),(0,0)', ARRAY['(1,1),(0,0)'::box, NULL], '((0,0),(1,1),(2,0))', '((0,0),(1,1),(2,0))', ARRAY['((0,0),(1,1),(2,0))'::path, NULL], '((0,0),(1,1),(2,0))', '((0,0),(1,1),(2,0))', ARRAY['((0,0),(1,1),(2,0))'::polygon, NULL], '<(0,0),1>', '<(0,0),1>', ARRAY['<(0,0),1>'::circle, NULL])",
        "INSERT INTO bits_and_shapes (bit_value, bit_value_or_null, bit_list, varbit_value, varbit_value_or_null, varbit_list, point_value, point_value_or_null, point_list, line_value, line_value_or_null, line_list, lseg_value, lseg_value_or_null, lseg_list, box_value, box_value_or_null, box_list, path_value, path_value_or_null, path_list, polygon_value, polygon_value_or_null, polygon_list, circle_value, circle_value_or_null, circle_list) VALUES ('00000', NULL, '{}', '', NULL, '{}', '(0,0)', NULL, '{}', '{1,-1,0}', NULL, '{}', '[(0,0),(0,0)]', NULL, '{}', '(0,0),(0,0)', NULL, '{}', '[(0,0),(1,1)]', NULL, '{}', '((0,0))', NULL, '{}', '<(1.5,2),0>', NULL, '{}')"
    ]
);

family!(
    searches_make_a_round_trip,
    searches,
    Search,
    SearchValues,
    SearchChanges,
    queries::families::all_searches,
    [
        r#"INSERT INTO searches (tsvector_value, tsvector_value_or_null, tsvector_list, tsquery_value, tsquery_value_or_null, tsquery_list, hstore_value, hstore_value_or_null, hstore_list, ltree_value, ltree_value_or_null, ltree_list, lquery_value, lquery_value_or_null, lquery_list, cube_value, cube_value_or_null, cube_list) VALUES ('''a'':1A ''b c'':2', '''a'':1A ''b c'':2', ARRAY['''a'':1A ''b c'':2'::tsvector, NULL], '''a'' & !''b'' <-> ''c''', '''a'' & !''b'' <-> ''c''', ARRAY['''a'' & !''b'' <-> ''c'''::tsquery, NULL], '"a"=>"1", "b"=>NULL', '"a"=>"1", "b"=>NULL', ARRAY['"a"=>"1", "b"=>NULL'::hstore, NULL], 'top.science', 'top.science', ARRAY['top.science'::ltree, NULL], '*.science{1,2}', '*.science{1,2}', ARRAY['*.science{1,2}'::lquery, NULL], '(1, 2),(3, 4)', '(1, 2),(3, 4)', ARRAY['(1, 2),(3, 4)'::cube, NULL])"#,
        "INSERT INTO searches (tsvector_value, tsvector_value_or_null, tsvector_list, tsquery_value, tsquery_value_or_null, tsquery_list, hstore_value, hstore_value_or_null, hstore_list, ltree_value, ltree_value_or_null, ltree_list, lquery_value, lquery_value_or_null, lquery_list, cube_value, cube_value_or_null, cube_list) VALUES ('', NULL, '{}', '', NULL, '{}', '', NULL, '{}', '', NULL, '{}', 'a|b', NULL, '{}', '(0)', NULL, '{}')"
    ]
);

family!(
    systems_make_a_round_trip,
    systems,
    System,
    SystemValues,
    SystemChanges,
    queries::families::all_systems,
    [
        "INSERT INTO systems (pg_lsn_value, pg_lsn_value_or_null, pg_lsn_list, xid_value, xid_value_or_null, xid_list, xid8_value, xid8_value_or_null, xid8_list, tid_value, tid_value_or_null, tid_list, pg_snapshot_value, pg_snapshot_value_or_null, pg_snapshot_list, regclass_value, regclass_value_or_null, regclass_list, regtype_value, regtype_value_or_null, regtype_list, regproc_value, regproc_value_or_null, regproc_list) VALUES ('16/B374D848', '16/B374D848', ARRAY['16/B374D848'::pg_lsn, NULL], '4294967295', '4294967295', ARRAY['4294967295'::xid, NULL], '18446744073709551615', '18446744073709551615', ARRAY['18446744073709551615'::xid8, NULL], '(0,1)', '(0,1)', ARRAY['(0,1)'::tid, NULL], '10:20:10,14,15', '10:20:10,14,15', ARRAY['10:20:10,14,15'::pg_snapshot, NULL], 'numbers', 'numbers', ARRAY['numbers'::regclass, NULL], 'mood', 'mood', ARRAY['mood'::regtype, NULL], 'now', 'now', ARRAY['now'::regproc, NULL])",
        "INSERT INTO systems (pg_lsn_value, pg_lsn_value_or_null, pg_lsn_list, xid_value, xid_value_or_null, xid_list, xid8_value, xid8_value_or_null, xid8_list, tid_value, tid_value_or_null, tid_list, pg_snapshot_value, pg_snapshot_value_or_null, pg_snapshot_list, regclass_value, regclass_value_or_null, regclass_list, regtype_value, regtype_value_or_null, regtype_list, regproc_value, regproc_value_or_null, regproc_list) VALUES ('0/0', NULL, '{}', '0', NULL, '{}', '0', NULL, '{}', '(4294967295,65535)', NULL, '{}', '1:1:', NULL, '{}', 'pg_class', NULL, '{}', 'integer[]', NULL, '{}', 'boolin', NULL, '{}')"
    ]
);

family!(
    own_types_make_a_round_trip,
    own_types,
    OwnType,
    OwnTypeValues,
    OwnTypeChanges,
    queries::families::all_own_types,
    [
        r#"INSERT INTO own_types (mood_value, mood_value_or_null, mood_list, email_value, email_value_or_null, email_list, happy_mood_value, happy_mood_value_or_null, happy_mood_list, postal_address_value, postal_address_value_or_null, postal_address_list, contact_value, contact_value_or_null, contact_list, checked_address_value, checked_address_value_or_null, checked_address_list, emails_value, emails_value_or_null) VALUES ('sad', 'sad', ARRAY['sad'::mood, NULL], 'a@b', 'a@b', ARRAY['a@b'::email, NULL], 'happy', 'happy', ARRAY['happy'::happy_mood, NULL], '("Main ""St"", 1",7,2000-01-01,"{a,NULL}")', '("Main ""St"", 1",7,2000-01-01,"{a,NULL}")', ARRAY['("Main ""St"", 1",7,2000-01-01,"{a,NULL}")'::postal_address, NULL], '(Ann,happy,a@b,"(x,1,,)","{ok,NULL}","{a,NULL}","1 day")', '(Ann,happy,a@b,"(x,1,,)","{ok,NULL}","{a,NULL}","1 day")', ARRAY['(Ann,happy,a@b,"(x,1,,)","{ok,NULL}","{a,NULL}","1 day")'::contact, NULL], '(,1,,)', '(,1,,)', ARRAY['(,1,,)'::checked_address, NULL], '{a@b,NULL}', '{a@b,NULL}')"#,
        "INSERT INTO own_types (mood_value, mood_value_or_null, mood_list, email_value, email_value_or_null, email_list, happy_mood_value, happy_mood_value_or_null, happy_mood_list, postal_address_value, postal_address_value_or_null, postal_address_list, contact_value, contact_value_or_null, contact_list, checked_address_value, checked_address_value_or_null, checked_address_list, emails_value, emails_value_or_null) VALUES ('happy', NULL, '{}', '@', NULL, '{}', 'ok', NULL, '{}', '(,,,)', NULL, '{}', '(,,,,,,)', NULL, '{}', '(x,2147483647,,{})', NULL, '{}', '{}', NULL)"
    ]
);
