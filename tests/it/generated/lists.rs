//! Lists in the order of an index, page by page.

use bowline::{Database, Page, Session, sql_query};
use bowline::{Executor as _, StatementDsl as _};

use super::roles::database;
use super::tickets::{
    Entry, EntryByStateOrderByPoints, EntryByStateOrderByRankAndPoints, EntryListClosed,
    EntryListOpen, EntryOrderByRank, EntryOrderByRankAndName, EntryValues, Parcel, State,
};

/// Numbers that look random, and are the same in each run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005);
        self.0 = self.0.wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// Inserts rows with many ties and NULLs.
fn fill(db: &Database, numbers: &mut Numbers, rows: usize) {
    let small = |number: u64| i32::try_from(number).expect("a small number");
    let new = (0..rows).map(|_| EntryValues {
        id: None,
        state: if numbers.below(4) == 0 {
            State::Closed
        } else {
            State::Open
        },
        rank: (numbers.below(3) > 0).then(|| small(numbers.below(4))),
        name: ["a", "b", "c"][numbers.below(3) as usize].into(),
        points: small(numbers.below(3)),
    });
    let new: Vec<EntryValues<'_>> = new.collect();
    db.run(Entry::insert_many(new)).expect("entries");
}

/// The ids in the order of SQL, without pages.
fn ids(db: &Database, sql: &str) -> Vec<i32> {
    db.run(sql_query(sql.to_owned()).all::<i32>()).expect("ids")
}

/// The ids of all pages, each of this many rows: forward from the first row, which is the same as
/// backward from the last one.
fn pages<K>(size: u32, list: impl Fn(Page<K>) -> Vec<Entry>) -> Vec<i32>
where
    K: for<'r> From<&'r Entry>,
{
    let mut all: Vec<Entry> = Vec::new();
    let mut page = Page::first(size);
    loop {
        let rows = list(page);
        let is_full = rows.len() == size as usize;
        all.extend(rows);
        match all.last() {
            Some(last) if is_full => page = Page::after(last, size),
            _ => break,
        }
    }
    let mut backward: Vec<Entry> = all.last().cloned().into_iter().collect();
    while let Some(first) = backward.first() {
        let mut rows = list(Page::before(first, size));
        if rows.is_empty() {
            break;
        }
        rows.append(&mut backward);
        backward = rows;
    }
    assert_eq!(backward, all, "pages of {size}, backward");
    all.iter().map(|row| row.id.0).collect()
}

#[test]
fn pages_neither_lose_nor_repeat_rows() {
    let (_test, db) = database();
    let mut numbers = Numbers(7);
    for round in 0..12_u32 {
        db.run(sql_query("TRUNCATE entries").affected())
            .expect("no entries");
        fill(&db, &mut numbers, 40);
        for size in [1, 2, 3, 7, 40, 41] {
            let run = |statement| db.run(statement).expect("a page");
            let open = State::Open;
            let points = pages(size, |page: Page<EntryByStateOrderByPoints>| {
                run(Entry::list_by_state_order_by_points(open, page))
            });
            let rank = pages(size, |page: Page<EntryOrderByRank>| {
                run(Entry::list_order_by_rank(page))
            });
            let name = pages(size, |page: Page<EntryOrderByRankAndName>| {
                run(Entry::list_order_by_rank_and_name(page))
            });
            let mixed = pages(size, |page: Page<EntryByStateOrderByRankAndPoints>| {
                run(Entry::list_by_state_order_by_rank_and_points(open, page))
            });
            let by_state = run(Entry::list_by_state(open, Page::first(100)));
            let by_state: Vec<i32> = by_state.iter().map(|row| row.id.0).collect();
            let of_open = |order: &str| {
                ids(
                    &db,
                    &format!("SELECT id FROM entries WHERE state = 'open' ORDER BY {order}"),
                )
            };
            let of_all =
                |order: &str| ids(&db, &format!("SELECT id FROM entries ORDER BY {order}"));
            let place = format!("round {round}, pages of {size}");
            assert_eq!(points, of_open("points DESC, id DESC"), "{place}");
            assert_eq!(rank, of_all("rank, id"), "{place}");
            assert_eq!(
                name,
                of_all("rank NULLS FIRST, name DESC, id DESC"),
                "{place}"
            );
            assert_eq!(
                mixed,
                of_open("rank DESC NULLS LAST, points, id"),
                "{place}"
            );
            assert_eq!(by_state, of_open("id"), "{place}");
        }
    }
}

#[test]
fn a_partial_index_serves_the_list_of_its_rows() {
    let (_test, db) = database();
    fill(&db, &mut Numbers(9), 60);
    let run = |statement| db.run(statement).expect("a page");
    for size in [1, 7, 60] {
        let open = pages(size, |page: Page<EntryListOpen>| {
            run(Entry::list_open(page))
        });
        let closed = pages(size, |page: Page<EntryListClosed>| {
            run(Entry::list_closed(page))
        });
        for (ids_of, state) in [(open, "open"), (closed, "closed")] {
            let sql = format!(
                "SELECT id FROM entries WHERE state = '{state}' ORDER BY points DESC, id DESC"
            );
            assert_eq!(ids_of, ids(&db, &sql), "{state}, pages of {size}");
        }
    }
    let best = run(Entry::list_best(Page::first(60)));
    let best: Vec<i32> = best.iter().map(|row| row.id.0).collect();
    let expected = ids(&db, "SELECT id FROM entries WHERE points = 2 ORDER BY id");
    assert_eq!(best, expected);
    // The two lists have one order, and other rows.
    let row = &run(Entry::list_open(Page::first(1)))[0];
    let text = EntryListOpen::from(row).to_string();
    let refused = text.parse::<EntryListClosed>().expect_err("another list");
    assert_eq!(refused.to_string(), "the position is one of another list");
}

/// Calls a list page by page, forward and backward, and returns the ids of all its rows.
fn all_pages<K>(
    size: u32,
    list: impl Fn(Page<K>) -> Vec<Parcel>,
    key: impl Fn(&Parcel) -> K,
) -> Vec<i32> {
    let mut all = list(Page::first(size));
    let mut read = all.len();
    while read == size as usize {
        let last = all.last().expect("a full page");
        let rows = list(Page::after(key(last), size));
        read = rows.len();
        all.extend(rows);
    }
    let last = all.last().expect("rows");
    let before = list(Page::before(key(last), 1000));
    assert_eq!(before, all[..all.len() - 1]);
    all.iter().map(|row| row.id).collect()
}

#[test]
fn a_tenant_is_paged_by_the_rest_of_the_key() {
    let (_test, db) = database();
    let fill = "INSERT INTO parcels
        SELECT n % 3, n, CASE WHEN n % 4 = 0 THEN 'open' ELSE 'closed' END::state,
               CASE WHEN n % 5 > 0 THEN n % 2 END
          FROM generate_series(1, 90) n";
    db.run(sql_query(fill).exactly(90)).expect("parcels");
    let of_key = |row: &Parcel| <(i32, i32)>::from(row);
    let of_tenant = |rest: &str| {
        ids(
            &db,
            &format!("SELECT id FROM parcels WHERE tenant = 1 {rest}"),
        )
    };
    for size in [1, 4, 30, 31] {
        let run = |statement| db.run(statement).expect("a page");
        let all = all_pages(size, |page| run(Parcel::list_by_tenant(1, page)), of_key);
        assert_eq!(all, of_tenant("ORDER BY id"));
        let closed = State::Closed;
        let of_state = |page| run(Parcel::list_by_tenant_and_state(1, closed, page));
        assert_eq!(
            all_pages(size, of_state, of_key),
            of_tenant("AND state = 'closed' ORDER BY id")
        );
        let open = all_pages(size, |page| run(Parcel::list_open(1, page)), of_key);
        assert_eq!(open, of_tenant("AND state = 'open' ORDER BY id"));
        let heavy = |page| run(Parcel::list_by_tenant_order_by_weight(1, page));
        let heavy = all_pages(size, heavy, |row| row.into());
        assert_eq!(heavy, of_tenant("ORDER BY weight DESC, id DESC"));
    }
}

#[test]
fn a_page_ends_before_a_key() {
    let (_test, db) = database();
    fill(&db, &mut Numbers(5), 20);
    let all = db.run(Entry::list(Page::first(99))).expect("a list");
    let open = all.iter().filter(|row| row.state == State::Open);
    let open: Vec<Entry> = open.cloned().collect();
    let run = |list| db.run(list).expect("a page");
    let last = all[9].id;
    assert_eq!(run(Entry::list(Page::before(last, 4))), all[5..9]);
    assert_eq!(run(Entry::list(Page::before(last, 50))), all[..9]);
    assert_eq!(run(Entry::list(Page::after(&all[9], 50))), all[10..]);
    assert_eq!(run(Entry::list(Page::before(all[0].id, 4))), []);
    let before = Page::before(open[5].id, 3);
    assert_eq!(run(Entry::list_by_state(State::Open, before)), open[2..5]);
    // A stream has the nearest row first.
    let mut session = db.session().expect("a session");
    let rows = session.stream(Entry::list(Page::before(last, 2)));
    let ids: Vec<_> = rows
        .expect("a stream")
        .map(|row| row.expect("a row").id)
        .collect();
    assert_eq!(ids, [all[8].id, all[7].id]);
}

#[test]
fn a_position_travels_as_text() {
    let (_test, db) = database();
    fill(&db, &mut Numbers(3), 20);
    let first = db
        .run(Entry::list_order_by_rank(Page::first(5)))
        .expect("a page");
    let last = EntryOrderByRank::from(first.last().expect("rows"));
    let json = serde_json::json!({ "after": last });
    let text = json["after"].as_str().expect("a string");
    assert!(
        text.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    );
    assert_eq!(text.parse::<EntryOrderByRank>().as_ref(), Ok(&last));
    let after: Option<EntryOrderByRank> =
        serde_json::from_value(json["after"].clone()).expect("a position");
    let next = db
        .run(Entry::list_order_by_rank(Page::new(after, 5)))
        .expect("a page");
    let all = db
        .run(Entry::list_order_by_rank(Page::first(10)))
        .expect("a page");
    assert_eq!(next, all[5..]);

    let refused = text
        .parse::<EntryOrderByRankAndName>()
        .expect_err("another list");
    assert_eq!(refused.to_string(), "the position is one of another list");
    let refused = serde_json::from_value::<EntryByStateOrderByPoints>(json["after"].clone());
    assert!(
        refused
            .expect_err("another list")
            .to_string()
            .contains("another list")
    );
    let refused = "abc".parse::<EntryOrderByRank>().expect_err("no position");
    assert_eq!(
        refused.to_string(),
        "the position in the list cannot be read"
    );
}

/// The buffers that a page reads, by the plan for its values or by the one for all values.
fn buffers(session: &mut Session, execute: &str) -> i64 {
    let explain =
        format!("EXPLAIN (ANALYZE, BUFFERS, COSTS off, TIMING off, SUMMARY off) {execute}");
    let lines = session
        .run(sql_query(explain).all::<String>())
        .expect("a plan");
    let line = lines
        .iter()
        .find(|line| line.contains("Buffers:"))
        .expect("buffers");
    let number = |key: &str| {
        let rest = line.split(key).nth(1).unwrap_or("0");
        let digits = rest.split(|c: char| !c.is_ascii_digit()).next();
        digits
            .and_then(|digits| digits.parse::<i64>().ok())
            .unwrap_or(0)
    };
    number("hit=") + number("read=")
}

#[test]
fn a_deep_page_reads_as_few_buffers_as_the_first() {
    let (_test, db) = database();
    let fill = "INSERT INTO entries (state, rank, name, points)
        SELECT CASE WHEN n % 2 = 0 THEN 'open' ELSE 'closed' END::state,
               CASE WHEN n % 20000 > 0 THEN n END, 'n' || n, n
          FROM generate_series(1, 100000) n";
    db.run(sql_query(fill).exactly(100_000)).expect("entries");
    let mut session = db.session().expect("a session");
    session
        .run(sql_query("VACUUM ANALYZE entries").affected())
        .expect("statistics");
    let constant = |name: &str, function: &str| {
        let code = include_str!("tickets/entries.rs");
        let at = code
            .find(&format!("pub fn {function}("))
            .expect("the function");
        let code = &code[at..];
        let at = code.find(&format!("static {name}:")).expect("the constant");
        let code = &code[at..];
        let from = code.find("sql: \"").expect("SQL") + 6;
        let to = from + code[from..].find("\",\n").expect("its end");
        let sql = code[from..to].replace("\\\n", " ").replace("\\\"", "\"");
        sql.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let lists = [
        (
            "list_by_state_order_by_points",
            "'open', ",
            "20000, 20000, ",
        ),
        ("list_order_by_rank", "", "20001, 20001, "),
        (
            "list_order_by_rank_and_name",
            "",
            "20001, 'n20001', 20001, ",
        ),
        (
            "list_by_state_order_by_rank_and_points",
            "'open', ",
            "20002, 20002, 20002, ",
        ),
    ];
    for mode in ["force_generic_plan", "force_custom_plan"] {
        let set = format!("SET plan_cache_mode = {mode}");
        session.run(sql_query(set).affected()).expect("a setting");
        for (list, values, position) in lists {
            let mut read = |name: &str, position: &str| {
                let prepare = format!("PREPARE page AS {}", constant(name, list));
                session
                    .run(sql_query(prepare).affected())
                    .expect("a statement");
                // The first execution fills caches.
                let execute = format!("EXECUTE page ({values}{position}20)");
                buffers(&mut session, &execute);
                let read = buffers(&mut session, &execute);
                session
                    .run(sql_query("DEALLOCATE page").affected())
                    .expect("it is gone");
                read
            };
            let first = read("FIRST", "");
            for part in ["AFTER", "BEFORE"] {
                let deep = read(part, position);
                assert!(
                    deep <= 2 * first + 10,
                    "{mode} {list} {part}: {first} buffers, then {deep}"
                );
            }
        }
    }
}
