//! Values as parameters and results of query files and of `query!`, and values that do not fit.

use std::ops::Bound;

use bowline::{Database, ErrorKind, Page, Result, SqlState, StatementDsl as _, sql_query};
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use diesel::data_types::{PgInterval, PgLsn, PgMoney};
use every_type::db::queries::values;
use every_type::db::*;

fn contact(name: &str) -> Contact {
    Contact {
        name: Some(name.to_owned()),
        feeling: Some(Mood::Happy),
        mail: Some("a@b".to_owned()),
        home: Some(PostalAddress {
            street: Some("Main St".to_owned()),
            number: Some(7),
            ..PostalAddress::default()
        }),
        moods: Some(vec![Some(Mood::Ok), None]),
        codes: Some(vec![Some("a".to_owned())]),
        waits: Some(PgInterval::from_days(1)),
    }
}

#[bowline::test]
fn texts_are_cast_in_a_query_file(db: Database) -> Result<()> {
    let docs = ["'c'".to_owned()];
    let add = values::add_search("'b' 'a'", "'a'", "a=>1", "top.x", "top.*", "(1,2)", &docs);
    let row = db.run(add)?;
    assert_eq!(row.tsvector_value, "'a' 'b'");
    assert_eq!(row.tsvector_list, Some(vec![Some("'c'".to_owned())]));
    let add = values::add_search("'a'", "'a'", "", "other", "*", "(0)", &[]);
    // Two statements in one round trip: the server checks the number of rows.
    let (other, found) = db.run((add, values::found("'a' & !'z'", "top")))?;
    assert_eq!(other.ltree_value, "other");
    let found: Vec<_> = found
        .iter()
        .map(|row| (row.id, &*row.doc, row.a.as_deref()))
        .collect();
    assert_eq!(found, [(row.id, "'a' 'b'", Some("1"))]);
    Ok(())
}

#[bowline::test]
fn composite_types_are_parameters_and_results(db: Database) -> Result<()> {
    let home = contact("a").home.unwrap_or_default();
    let checked = PostalAddress {
        number: Some(1),
        ..PostalAddress::default()
    };
    let emails = ["a@b".to_owned()];
    let contacts = [contact("b"), Contact::default()];
    let row = db.run(values::add_contact(
        Mood::Sad,
        "a@b",
        Mood::Ok,
        &home,
        &contact("a"),
        &checked,
        &emails,
        &contacts,
    ))?;
    assert_eq!(row.contact_value, contact("a"));
    let [first, second] = contacts;
    assert_eq!(row.contact_list, Some(vec![Some(first), Some(second)]));
    assert_eq!(row.emails_value, [Some("a@b".to_owned())]);
    assert_eq!(row.checked_address_value, checked);
    let not_checked = PostalAddress {
        number: Some(0),
        ..checked
    };
    let changes = OwnTypeChanges {
        checked_address_value: Some(not_checked),
        ..OwnTypeChanges::default()
    };
    let error = db
        .run(OwnType::update(row.id, changes))
        .expect_err("a check of the domain");
    assert_eq!(
        error
            .sqlstate()
            .map(|state| state.code().to_owned())
            .as_deref(),
        Some("23514")
    );
    Ok(())
}

#[bowline::test]
fn ranges_and_intervals_are_parameters(db: Database) -> Result<()> {
    let common = values::overlapping(&(Bound::Included(1), Bound::Unbounded));
    assert!(db.run(common)?.is_empty());
    let longer = values::longer(PgInterval::from_days(1), "12:00:00+01");
    assert!(db.run(longer)?.is_empty());
    Ok(())
}

#[bowline::test]
fn an_inline_query_has_the_same_types(db: Database) -> Result<()> {
    let inline = bowline::query!(
        r#"SELECT $1::bit(3) AS "bits!", $2::postal_address AS "address!", interval '1 day' AS day,
           $3::tsquery <-> 'b' AS "query!", int4range(1, 3) AS "range!", $4::floatrange AS "floats!""#,
        "101",
        &PostalAddress::default(),
        "'a'",
        &(Bound::Included(0.5), Bound::Unbounded),
    );
    let row = db.run(inline.one())?;
    assert_eq!(row.bits, "101");
    assert_eq!(row.address, PostalAddress::default());
    assert_eq!(row.day, PgInterval::from_days(1));
    assert_eq!(row.query, "'a' <-> 'b'");
    assert_eq!(row.range, (Bound::Included(1), Bound::Excluded(3)));
    assert_eq!(row.floats, (Bound::Included(0.5), Bound::Unbounded));
    Ok(())
}

#[bowline::test(database)]
fn types_within_a_composite_are_looked_up(db: Database) -> Result<()> {
    use diesel::ExpressionMethods as _;
    use diesel::QueryDsl as _;
    let mut session = db.session()?;
    let sql = "INSERT INTO own_types (mood_value, email_value, happy_mood_value, postal_address_value, contact_value, checked_address_value, emails_value) \
         VALUES ('ok', 'a@b', 'ok', '(,,,)', '(,,,,,,)', '(,1,,)', '{}')";
    session.run(sql_query(sql).exactly(1))?;
    let table = schema::own_types::table;
    let list = vec![Some(Contact::default()), Some(contact("b"))];
    let update = diesel::update(table).set((
        schema::own_types::contact_value.eq(contact("a")),
        schema::own_types::contact_list.eq(&list),
    ));
    assert_eq!(session.run(update.affected())?, 1);
    let values = table.select((
        schema::own_types::contact_value,
        schema::own_types::contact_list,
    ));
    let read = session.run(values.one::<(Contact, Option<Vec<Option<Contact>>>)>())?;
    assert_eq!(read, (contact("a"), Some(list)));
    Ok(())
}

#[bowline::test(database)]
fn types_within_a_composite_are_copied(db: Database) -> Result<()> {
    use schema::own_types as t;
    let columns = (
        t::mood_value,
        t::happy_mood_value,
        t::postal_address_value,
        t::contact_value,
        t::checked_address_value,
    );
    db.run(sql_query("ALTER TABLE own_types ALTER email_value SET DEFAULT 'a@b', ALTER emails_value SET DEFAULT '{}'").affected())?;
    let home = || contact("a").home.unwrap_or_default();
    let rows = ["a", "b"].map(|name| (Mood::Ok, Mood::Happy, home(), contact(name), home()));
    assert_eq!(db.copy_in(columns, rows)?, 2);
    let stored = db.run(OwnType::list(Page::first(10)))?;
    assert_eq!(
        (&stored[0].contact_value, &stored[1].contact_value),
        (&contact("a"), &contact("b"))
    );
    Ok(())
}

fn array(db: &Database, numbers: &str) -> Result<Vec<Array>> {
    let insert = format!(
        "INSERT INTO arrays (tags, numbers, grid, happy_moods, work_emails, work_email, results, rows_of_numbers) \
         VALUES ('{{a}}', '{numbers}', '{{{{1,2}},{{3,4}}}}', '{{ok,NULL}}', '{{a@b}}', 'a@b', '(a,1)', NULL)"
    );
    db.run(sql_query(&insert).exactly(1))?;
    db.run(Array::list(Page::first(1)))
}

#[bowline::test]
fn arrays_without_null_are_plain_lists(db: Database) -> Result<()> {
    let rows = array(&db, "{1,2}")?;
    assert_eq!(
        (&*rows[0].tags, &*rows[0].numbers),
        (&["a".to_owned()][..], &[1, 2][..])
    );
    assert_eq!(rows[0].grid, "{{1,2},{3,4}}");
    assert_eq!(rows[0].happy_moods, Some(vec![Some(Mood::Ok), None]));
    assert_eq!(rows[0].work_emails, Some(vec![Some("a@b".to_owned())]));
    let changes = ArrayChanges {
        numbers: Some(vec![3]),
        tags: Some(vec!["b".to_owned()]),
        grid: Some("{{5}}".into()),
        happy_moods: Some(Some(vec![Some(Mood::Happy)])),
        work_emails: Some(Some(vec![None])),
        results: Some(Some("(b,2)".into())),
        ..ArrayChanges::default()
    };
    let row = db.run(Array::update(rows[0].id, changes))?;
    assert_eq!((&*row.numbers, &*row.grid), (&[3][..], "{{5}}"));
    assert_eq!(row.results.as_deref(), Some("('b',2)"));
    let tags = ["b".to_owned()];
    let found = db.run(values::numbers_of_tags(&tags))?;
    assert_eq!((&*found[0].numbers, &*found[0].tags), (&[3][..], &tags[..]));
    Ok(())
}

#[bowline::test]
fn a_value_that_does_not_fit_is_an_error(db: Database) -> Result<()> {
    for numbers in ["{NULL}", "{{1,2},{3,4}}"] {
        let error = array(&db, numbers).expect_err("an array that does not fit");
        assert_eq!(error.kind(), ErrorKind::Decode, "{error}");
        db.run(sql_query("DELETE FROM arrays").affected())?;
    }
    Ok(())
}

#[bowline::test]
fn a_changed_attribute_is_not_misread(db: Database) -> Result<()> {
    let insert = "INSERT INTO address_keys VALUES ('(a,1,2000-01-01,)', 'x')";
    db.run(sql_query(insert).exactly(1))?;
    let read = || AddressKey::list(Page::first(1));
    assert_eq!(db.run(read())?.len(), 1);
    db.run(sql_query("ALTER TABLE address_keys ALTER key TYPE text").affected())?;
    db.run(sql_query("ALTER TABLE own_types DROP COLUMN postal_address_value, DROP COLUMN postal_address_value_or_null, DROP COLUMN postal_address_list, DROP COLUMN checked_address_value, DROP COLUMN checked_address_value_or_null, DROP COLUMN checked_address_list, DROP COLUMN contact_value, DROP COLUMN contact_value_or_null, DROP COLUMN contact_list").affected())?;
    db.run(sql_query("ALTER TYPE postal_address ALTER ATTRIBUTE number TYPE real").affected())?;
    db.run(
        sql_query(
            "ALTER TABLE address_keys ALTER key TYPE postal_address USING key::postal_address",
        )
        .affected(),
    )?;
    let error = db.run(read()).expect_err("another type");
    assert!(error.to_string().contains("float4"), "{error}");
    Ok(())
}

/// Reads an expression as a row of one column; `None` stands for `ErrorKind::Decode`.
pub(super) fn read<T: bowline::Row>(db: &Database, value: &str) -> Option<T> {
    match db.run(sql_query(format!("SELECT {value} AS v")).one::<T>()) {
        Ok(read) => Some(read),
        Err(error) if error.kind() == ErrorKind::Decode => None,
        Err(error) => panic!("{value}: {error:?}"),
    }
}

macro_rules! of_one_column {
    ($name:ident, $sql:ty, $rust:ty) => {
        #[derive(bowline::Row, Debug, PartialEq)]
        struct $name {
            #[diesel(sql_type = $sql)]
            v: $rust,
        }
    };
}

of_one_column!(
    Dates,
    diesel::sql_types::Daterange,
    (Bound<NaiveDate>, Bound<NaiveDate>)
);
of_one_column!(
    Moments,
    diesel::sql_types::Tstzrange,
    (Bound<DateTime<Utc>>, Bound<DateTime<Utc>>)
);
of_one_column!(
    Spans,
    diesel::sql_types::Int4multirange,
    Vec<(Bound<i32>, Bound<i32>)>
);
of_one_column!(Span, diesel::sql_types::Interval, PgInterval);
of_one_column!(Price, diesel::sql_types::Money, PgMoney);
of_one_column!(Mac, diesel::sql_types::MacAddr, [u8; 6]);
of_one_column!(Lsn, diesel::sql_types::PgLsn, PgLsn);

#[bowline::test]
fn values_at_their_edges_are_the_same_or_an_error(db: Database) -> Result<()> {
    // What chrono does not hold.
    for value in ["[2000-01-01,infinity)", "[-infinity,2000-01-01)"] {
        assert_eq!(read::<Dates>(&db, &format!("'{value}'::daterange")), None);
    }
    assert_eq!(read::<Moments>(&db, "'[-infinity,)'::tstzrange"), None);
    let unbounded = Moments {
        v: (Bound::Unbounded, Bound::Unbounded),
    };
    assert_eq!(read(&db, "'(,)'::tstzrange"), Some(unbounded));
    let empty = read::<Dates>(&db, "'empty'::daterange").expect("an empty range");
    assert!(
        matches!(empty.v, (Bound::Excluded(a), Bound::Excluded(b)) if a == b),
        "{empty:?}"
    );
    assert_eq!(
        read(&db, "'{}'::int4multirange"),
        Some(Spans { v: Vec::new() })
    );
    let last = Spans {
        v: vec![(Bound::Included(i32::MIN), Bound::Excluded(i32::MAX))],
    };
    assert_eq!(
        read(&db, "'{[-2147483648,2147483647)}'::int4multirange"),
        Some(last)
    );

    let months = |months: i32| {
        Some(Span {
            v: PgInterval::from_months(months),
        })
    };
    assert_eq!(
        read(&db, "'178000000 years'::interval"),
        months(2_136_000_000)
    );
    assert_eq!(
        read(&db, "'-178000000 years'::interval"),
        months(-2_136_000_000)
    );
    let micros = |micros: i64| {
        Some(Span {
            v: PgInterval::from_microseconds(micros),
        })
    };
    assert_eq!(
        read(&db, "'9223372036854775807 us'::interval"),
        micros(i64::MAX)
    );
    for (text, cents) in [
        ("-92233720368547758.08", i64::MIN),
        ("92233720368547758.07", i64::MAX),
    ] {
        let price = Price { v: PgMoney(cents) };
        assert_eq!(read(&db, &format!("'{text}'::money")), Some(price));
    }
    assert_eq!(
        read(&db, "'ff:ff:ff:ff:ff:ff'::macaddr"),
        Some(Mac { v: [255; 6] })
    );
    assert_eq!(
        read(&db, "'FFFFFFFF/FFFFFFFF'::pg_lsn"),
        Some(Lsn { v: PgLsn(u64::MAX) })
    );
    Ok(())
}

#[bowline::test]
fn values_that_travel_as_text_keep_their_edges(db: Database) -> Result<()> {
    for at in ["24:00:00+15:59", "00:00:00-15:59", "23:59:59.999999+00"] {
        let time = db.run(Time::insert(NewTime {
            date_value: NaiveDate::default(),
            time_value: NaiveTime::MIN,
            timestamp_value: NaiveDateTime::default(),
            timestamptz_value: DateTime::default(),
            interval_value: PgInterval::from_days(1),
            timetz_value: at.into(),
        }))?;
        assert_eq!(time.timetz_value, at);
        assert_eq!(db.run(Time::find(time.id))?, Some(time));
    }
    let long = "1".repeat(100_000);
    for bits in ["", "0", "10000000", "100000001", &long] {
        let note = "bits".into();
        let stored = db.run(BitKey::insert(NewBitKey {
            key: bits.into(),
            note,
        }))?;
        assert_eq!(stored.key, bits);
        assert_eq!(db.run(BitKey::find(bits))?, Some(stored));
    }
    // Other signs than 0 and 1.
    for wrong in ["2", "b'1'x"] {
        let error = db.run(BitKey::find(wrong)).expect_err("no bits");
        assert_eq!(
            error.sqlstate(),
            Some(SqlState::INVALID_TEXT_REPRESENTATION)
        );
    }
    Ok(())
}

#[bowline::test]
fn a_composite_of_nulls_is_not_null(db: Database) -> Result<()> {
    let new = || NewOwnType {
        mood_value: Mood::Ok,
        email_value: "a@b".into(),
        happy_mood_value: Mood::Happy,
        postal_address_value: PostalAddress::default(),
        contact_value: Contact::default(),
        checked_address_value: contact("a").home.unwrap_or_default(),
        emails_value: Vec::new(),
    };
    let list = vec![None, Some(Contact::default()), Some(contact("b"))];
    let stored = db.run(OwnType::insert(OwnTypeValues {
        contact_value_or_null: Some(Contact::default()),
        contact_list: Some(list.clone()),
        ..new().into()
    }))?;
    assert_eq!(stored.contact_value, Contact::default());
    assert_eq!(stored.contact_value_or_null, Some(Contact::default()));
    assert_eq!(stored.contact_list, Some(list));
    assert_eq!(stored.postal_address_value_or_null, None);
    assert_eq!(db.run(OwnType::find(stored.id))?, Some(stored));
    Ok(())
}

of_one_column!(ClockOfTime, diesel::sql_types::Time, time::Time);
of_one_column!(DateOfTime, diesel::sql_types::Date, time::Date);
of_one_column!(
    TimestampOfTime,
    diesel::sql_types::Timestamp,
    time::PrimitiveDateTime
);
of_one_column!(
    MomentOfTime,
    diesel::sql_types::Timestamptz,
    time::OffsetDateTime
);

/// As chrono's types, those of the crate `time` hold less than PostgreSQL's.
#[bowline::test]
fn the_crate_time_reads_no_other_times(db: Database) -> Result<()> {
    assert_eq!(read::<ClockOfTime>(&db, "'24:00'::time"), None);
    let last = time::Time::from_hms_micro(23, 59, 59, 999_999).expect("a time");
    let last_read = read(&db, "'23:59:59.999999'::time");
    assert_eq!(last_read, Some(ClockOfTime { v: last }));
    for (date, fits) in [
        ("infinity", false),
        ("-infinity", false),
        ("5874897-12-31", false),
        ("10000-01-01", false),
        ("9999-12-31", true),
        ("0001-12-31 BC", true),
        ("4713-11-24 BC", true),
    ] {
        let read_date = read::<DateOfTime>(&db, &format!("'{date}'::date"));
        assert_eq!(read_date.is_some(), fits, "{date}: {read_date:?}");
        // No timestamp is as late.
        if date.starts_with('5') {
            continue;
        }
        let timestamp = read::<TimestampOfTime>(&db, &format!("'{date}'::timestamp"));
        assert_eq!(timestamp.is_some(), fits, "{date}: {timestamp:?}");
        let moment = read::<MomentOfTime>(&db, &format!("'{date}'::timestamptz"));
        assert_eq!(moment.is_some(), fits, "{date}: {moment:?}");
    }
    assert_eq!(
        read::<DateOfTime>(&db, "'9999-12-31'::date"),
        Some(DateOfTime { v: time::Date::MAX })
    );
    assert_eq!(
        read::<TimestampOfTime>(&db, "'294276-12-31 23:59:59.999999'::timestamp"),
        None
    );
    Ok(())
}
