//! Tables with a key of each type: found, listed in PostgreSQL's order, changed, deleted, copied.

use bowline::{Database, Page, Result, StatementDsl as _, sql_query};
use every_type::db::*;

/// Tests a table with two rows. The last argument converts the key to the parameter of a function.
macro_rules! key {
    ($test:ident, $module:ident, $Row:ident, $New:ident, $Changes:ident, [$first:literal, $second:literal], |$row:ident| $key:expr $(, $copied:ident)?) => {
        #[bowline::test]
        fn $test(db: Database) -> Result<()> {
            let table = stringify!($module);
            let insert = format!(
                "INSERT INTO {table} (key, note) VALUES ({}, 'a'), ({}, 'b')",
                $first, $second
            );
            db.run(sql_query(&insert).exactly(2))?;
            let notes = format!("SELECT note FROM {table} ORDER BY key");
            let notes = db.run(sql_query(&notes).all::<(String,)>())?;
            let rows = db.run($Row::list(Page::first(10)))?;
            let listed: Vec<&str> = rows.iter().map(|row| &*row.note).collect();
            assert_eq!(listed, [&*notes[0].0, &*notes[1].0]);
            let after = Page::after(rows[0].key.clone(), 10);
            assert_eq!(db.run($Row::list(after))?, rows[1..]);
            for $row in &rows {
                assert_eq!(db.run($Row::find($key))?.as_ref(), Some($row));
                assert_eq!(db.run($Row::get($key))?, *$row);
                let changes = $Changes {
                    note: Some("c".into()),
                };
                assert_eq!(db.run($Row::update($key, changes))?.note, "c");
                assert!(db.run($Row::exists($key))?);
                assert!(db.run($Row::delete($key))?);
                assert_eq!(db.run($Row::find($key))?, None);
                let json = serde_json::to_value($row).expect("JSON");
                let new = || serde_json::from_value::<$New>(json.clone()).expect("a new row");
                assert_eq!(db.run($Row::insert(new()))?, *$row);
                let changes = $Changes {
                    note: Some("d".into()),
                };
                assert_eq!(db.run($Row::upsert(new(), changes))?.note, "d");
                assert!(db.run($Row::delete($key))?);
                let inserted = db.run($Row::insert_many(vec![new()]))?;
                assert_eq!(inserted, std::slice::from_ref($row));
            }
            $(
                let $copied = &rows;
                for row in $copied {
                    let $row = row;
                    db.run($Row::delete($key))?;
                }
                let columns = (schema::$module::key, schema::$module::note);
                let given = $copied.iter().map(|row| (row.key.clone(), row.note.clone()));
                assert_eq!(db.copy_in(columns, given)?, 2);
            )?
            assert_eq!(db.run($Row::list(Page::first(10)))?, rows);
            Ok(())
        }
    };
}

key!(
    an_interval_is_a_key,
    interval_keys,
    IntervalKey,
    NewIntervalKey,
    IntervalKeyChanges,
    ["'1 day'", "'-1 month'"],
    |row| row.key,
    copied
);
key!(
    a_numeric_is_a_key,
    numeric_keys,
    NumericKey,
    NewNumericKey,
    NumericKeyChanges,
    ["1.10", "-2"],
    |row| &row.key,
    copied
);
key!(
    a_range_is_a_key,
    range_keys,
    RangeKey,
    NewRangeKey,
    RangeKeyChanges,
    ["'[1,5)'", "'empty'"],
    |row| &row.key,
    copied
);
key!(
    a_char_with_blanks_is_a_key,
    padded_keys,
    PaddedKey,
    NewPaddedKey,
    PaddedKeyChanges,
    ["'a'", "'abc'"],
    |row| &row.key,
    copied
);
key!(
    a_bit_string_is_a_key,
    bit_keys,
    BitKey,
    NewBitKey,
    BitKeyChanges,
    ["B'1'", "B'01'"],
    |row| &row.key
);
key!(
    an_enum_is_a_key,
    mood_keys,
    MoodKey,
    NewMoodKey,
    MoodKeyChanges,
    ["'sad'", "'happy'"],
    |row| row.key,
    copied
);
key!(
    a_domain_over_a_domain_is_a_key,
    email_keys,
    EmailKey,
    NewEmailKey,
    EmailKeyChanges,
    ["'a@b'", "'B@c'"],
    |row| &row.key
);
key!(
    a_composite_is_a_key,
    address_keys,
    AddressKey,
    NewAddressKey,
    AddressKeyChanges,
    ["'(a,1,2000-01-01,\"{x,NULL}\")'", "'(,,,)'"],
    |row| &row.key,
    copied
);
key!(
    an_array_is_a_key,
    text_list_keys,
    TextListKey,
    NewTextListKey,
    TextListKeyChanges,
    ["'{a,NULL}'", "'{}'"],
    |row| &row.key,
    copied
);
key!(
    an_address_is_a_key,
    inet_keys,
    InetKey,
    NewInetKey,
    InetKeyChanges,
    ["'10.0.0.1'", "'::1/64'"],
    |row| row.key,
    copied
);
key!(
    a_moment_is_a_key,
    timestamptz_keys,
    TimestamptzKey,
    NewTimestamptzKey,
    TimestamptzKeyChanges,
    ["'2000-01-01 00:00+00'", "'1999-12-31 23:59:59.999999+00'"],
    |row| row.key,
    copied
);
key!(
    a_char_is_a_key,
    char_keys,
    CharKey,
    NewCharKey,
    CharKeyChanges,
    ["'a'", "'\\377'"],
    |row| row.key
);
key!(
    a_position_is_a_key,
    lsn_keys,
    LsnKey,
    NewLsnKey,
    LsnKeyChanges,
    ["'1/0'", "'0/FFFFFFFF'"],
    |row| row.key,
    copied
);
key!(
    json_is_a_key,
    json_keys,
    JsonKey,
    NewJsonKey,
    JsonKeyChanges,
    ["'{\"a\": 1}'", "'null'"],
    |row| &row.key,
    copied
);
key!(
    bytes_are_a_key,
    bytes_keys,
    BytesKey,
    NewBytesKey,
    BytesKeyChanges,
    ["'\\x00'", "''"],
    |row| &row.key,
    copied
);
key!(
    a_name_is_a_key,
    name_keys,
    NameKey,
    NewNameKey,
    NameKeyChanges,
    ["'b'", "'a'"],
    |row| &row.key
);
key!(
    a_path_is_a_key,
    ltree_keys,
    LtreeKey,
    NewLtreeKey,
    LtreeKeyChanges,
    ["'a.b'", "''"],
    |row| &row.key
);

#[bowline::test]
fn bits_and_an_enum_are_one_key(db: Database) -> Result<()> {
    let new = |bits: &'static str, mood, note: &'static str| NewBitsAndMood {
        bits: bits.into(),
        mood,
        note: note.into(),
    };
    let rows = db.run(BitsAndMood::insert_many(vec![
        new("1", Mood::Sad, "a"),
        new("01", Mood::Happy, "b"),
        new("01", Mood::Ok, "c"),
    ]))?;
    let listed = db.run(BitsAndMood::list(Page::first(1)))?;
    assert_eq!(listed, [rows[2].clone()]);
    let after = Page::after((listed[0].bits.clone(), listed[0].mood), 10);
    let rest = db.run(BitsAndMood::list(after))?;
    assert_eq!(rest, [rows[1].clone(), rows[0].clone()]);
    assert_eq!(
        db.run(BitsAndMood::find("01", Mood::Happy))?.as_ref(),
        Some(&rows[1])
    );
    assert_eq!(
        db.run(BitsAndMood::find_by_note("a"))?.as_ref(),
        Some(&rows[0])
    );
    Ok(())
}

/// A `char(n)` is read with its blanks, and compared without them.
#[bowline::test]
fn chars_with_blanks_are_found_and_listed(db: Database) -> Result<()> {
    let insert = "INSERT INTO padded_keys (key, note) VALUES ('a', ''), ('ab', ''), ('abc', '')";
    db.run(sql_query(insert).exactly(3))?;
    let places = "INSERT INTO padded_places (country, code, zip)
        SELECT country, code, zip FROM unnest('{a,ab,abc}'::text[]) country,
        unnest('{1,12,123,12345}'::text[]) code, unnest('{1}'::text[]) zip";
    db.run(sql_query(places).exactly(12))?;
    let all = db.run(PaddedPlace::list(Page::first(20)))?;
    let keys: Vec<_> = all
        .iter()
        .map(|it| (it.country.clone(), it.code.clone()))
        .collect();
    assert_eq!(keys[0], ("a  ".to_owned(), "1    ".to_owned()));
    assert_eq!(db.run(PaddedPlace::find_many(&keys))?, all);
    assert_eq!(db.run(PaddedPlace::count_by_country("a"))?, 4);
    assert_eq!(db.run(PaddedPlace::count_by_country(&all[0].country))?, 4);
    for size in [1, 5] {
        let (mut seen, mut page) = (Vec::new(), Page::first(size));
        loop {
            let rows = db.run(PaddedPlace::list_order_by_zip(page))?;
            let Some(last) = rows.last() else { break };
            page = Page::after(last, size);
            seen.extend(rows);
        }
        assert_eq!(seen, all, "pages of {size}");
    }
    let changes = all.iter().map(|row| {
        let key = (row.country.clone(), row.code.clone());
        let changes = PaddedPlaceChanges {
            zip: Some("2".into()),
        };
        (key, changes)
    });
    let changed = db.run(PaddedPlace::update_many(changes.collect()))?;
    assert!(changed.iter().all(|row| row.zip == "2    "));
    assert_eq!(db.run(PaddedPlace::delete_many(&keys[..2]))?, 2);
    let countries: Vec<_> = all.iter().map(|row| row.country.clone()).collect();
    assert_eq!(db.run(PaddedKey::delete_many(&countries))?, 3);
    assert_eq!(db.run(PaddedPlace::count())?, 0);
    Ok(())
}
