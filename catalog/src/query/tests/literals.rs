//! Texts of literals: the checker refuses those that a server refuses.

use super::server::Server;
use super::values::{TYPES, all_texts};
use crate::Catalog;
use crate::query::Checker;

/// Further texts of dates, times, intervals, numbers and paths.
const TEXTS: &[&str] = &[
    "2024-1-5",
    "2024-13-01",
    "2024-02-30",
    "2023-02-29",
    "2024-00-10",
    "20240131",
    "240131",
    "202401",
    "2024-01",
    "2024",
    "1/2/2024",
    "1.2.2024",
    "2024/01/31",
    "2024.031",
    "2024-Jan-31",
    "Jan-31-2024",
    "31-Jan-2024",
    "Jan 31 2024",
    "January 31, 2024",
    "31 jan 2024",
    "Jan 2024",
    "Foo 31 2024",
    "jan",
    "2024-01-31 BC",
    "2024-01-31T12:30",
    "2024-01-31t123000",
    "T12:30",
    "t1230",
    "2024-01-31 12:30:15.5",
    "2024-01-31 25:00",
    "2024-01-31 12:61",
    "2024-01-31 12:30 PM",
    "2024-01-31 12:30Z",
    "2024-01-31 12:30 UTC",
    "2024-01-31 12:30 foo",
    "2024-01-31 12:30 Europe/Paris",
    "2024-01-31 12:30+02:30",
    "2024-01-31 12:30 -8",
    "2024-01-31 2024-01-31",
    "12:30 12:30",
    "12:30 utc",
    "12:30 PM",
    "12:30:15",
    "12:30:15.123",
    "12:30:",
    "12",
    "1230",
    "123015",
    "12301",
    "123015.5",
    "1230.5",
    "24:00",
    "24:01",
    "25:00",
    "12:60",
    "12:30 1",
    "now",
    "today",
    "tomorrow 12:00",
    "allballs",
    "epoch",
    "infinity",
    "-infinity",
    "- infinity",
    "+foo",
    "monday",
    "Mon Jan 31 2024",
    "2024-01-31 at 12:30",
    "@",
    "J2451187",
    "2024-01-31 12",
    "2024-01-31 1230",
    "2024 01 31",
    "1 2 2024",
    "99991231",
    "1 day ago",
    "1 day 2 hours",
    "2 hours 1 day",
    "1 day 1 day",
    "1 2",
    "1 02:00",
    "1-2",
    "1-2 3 4:05",
    "1 mon",
    "1 month 2",
    "1.5 hours",
    "-1 day",
    "- 1 day",
    "day",
    "1 foo",
    "1 Days",
    "P1D",
    "P1Y2M3DT4H5M6S",
    "P",
    "PT",
    "1 day 12:30",
    "12:30 1 day",
    "1 week 1 day",
    "@ 1 minute",
    "0x1F",
    "0b11",
    "1e3",
    "1e",
    ".5",
    "5.",
    ".",
    "1..2",
    "+-1",
    "NaN",
    "1.5.6",
    "01",
    "$",
    "$.a.b[*] ? (@ > 1)",
    "strict $.a",
];

/// Types of shapes, of addresses, of PostgreSQL's own identifiers, and of text search.
const OTHER_TYPES: [&str; 16] = [
    "point",
    "box",
    "lseg",
    "path",
    "polygon",
    "circle",
    "line",
    "macaddr",
    "macaddr8",
    "pg_lsn",
    "pg_snapshot",
    "tid",
    "xid",
    "xid8",
    "tsvector",
    "tsquery",
];

/// Texts of shapes, addresses, identifiers of PostgreSQL's own, and of text search.
const OTHER_TEXTS: &[&str] = &[
    "(1,2)",
    "1,2",
    "(1,2",
    "1,2,3",
    "(1,2),(3,4)",
    "((1,2),(3,4))",
    "[(1,2),(3,4)]",
    "[1,2,3,4]",
    "1,2,3,4",
    "(1,2,3,4)",
    "((1,2),(3,4)",
    "(1,2),(3)",
    "[(1,2),(3,4)",
    "[(1,2)]",
    "((1,2))",
    "(1,2),(1,2)",
    "((1,2),(3,4),(5,6))",
    "{1,2,3}",
    "{0,0,3}",
    "{1,2}",
    "{1,2,3}x",
    "<(1,2),3>",
    "<1,2,3>",
    "((1,2),3)",
    "(1,2),3",
    "<(1,2),-3>",
    "<(1,2),3",
    "(nan,inf)",
    "(1e400,2)",
    "08:00:2b:01:02:03",
    "08-00-2b-01-02-03",
    "08002b:010203",
    "08002b-010203",
    "0800.2b01.0203",
    "0800-2b01-0203",
    "08002b010203",
    "08:00:2b:01:02",
    "08:00:2b:01:02:03:04:05",
    "08002b0102030405",
    "08-00:2b:01:02:03",
    "0:0:0:0:0:1",
    "100:0:0:0:0:1",
    "0/16B3748",
    "1/",
    "123456789/0",
    "10:20:10,14,15",
    "10:20:",
    "10:20:30",
    "20:10:",
    "0:10:",
    "(0,1)",
    "(0,99999)",
    "(0",
    "0x10",
    "089",
    "+7",
    "a b",
    "a:1A,2 b:3",
    "a:",
    "a:1,",
    "a:1x",
    "':1",
    "'a b':2",
    "'it''s'",
    "''",
    "a\\",
    "a & b",
    "a | !b",
    "a <-> b",
    "a <2> b",
    "a < b",
    "a &",
    "& a",
    "(a | b) & c",
    "(a | b",
    "a)",
    "()",
    "! ",
    "a:*B & b:a",
    "a & 'b c'",
    "$.a ? (@ like_regex \"x\" flag \"i\")",
];

#[test]
fn a_literal_is_refused_where_a_server_refuses_it() {
    let mut server = Server::start("literals");
    server.create("");
    let catalog = Catalog::default();
    let checker = Checker::new(&catalog).for_version(Some(server.version));
    let own = [
        "mood",
        "other.mood",
        "pair",
        "cents",
        "label",
        "tags",
        "stretch",
        "code",
    ];
    let builtin = TYPES
        .iter()
        .filter(|name| !own.contains(name) && !name.ends_with("[]"));
    let types: Vec<&str> = builtin
        .copied()
        .chain(["jsonpath", "point", "cidr"])
        .collect();
    let texts: Vec<&str> = all_texts().chain(TEXTS.iter().copied()).collect();
    let pairs = texts
        .iter()
        .flat_map(|text| types.iter().map(move |ty| (*text, *ty)));
    let others = OTHER_TEXTS.iter();
    let others = others.flat_map(|text| OTHER_TYPES.iter().map(move |ty| (*text, *ty)));
    let mut wrong = Vec::new();
    let mut count = 0;
    for (text, name) in pairs.chain(others) {
        let name = if name == "char" { "\"char\"" } else { name };
        let sql = format!("SELECT '{}'::{name}", text.replace('\'', "''"));
        let ours = checker
            .check(&sql)
            .err()
            .map(|fault| fault.code.unwrap_or("refused"));
        let theirs = server.describe(&sql).err().map(|refusal| refusal.code);
        count += 1;
        if ours != theirs.as_deref() {
            wrong.push(format!("{sql}: {ours:?}, the server reports {theirs:?}"));
        }
    }
    assert!(count > 5_000, "{count} literals");
    assert!(
        wrong.is_empty(),
        "{} of {count}\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}
