//! PostgreSQL's built-in types: names, OIDs, and which have the same bytes (`pg_type.dat`,
//! `pg_cast.dat`).

use std::borrow::Cow;

pub(super) const TEXT: u32 = 25;
pub(super) const TIME: u32 = 1083;
pub(super) const TIMESTAMP: u32 = 1114;
pub(super) const TIMESTAMPTZ: u32 = 1184;
pub(super) const JSON: u32 = 114;
pub(super) const JSONB: u32 = 3802;
pub(super) const RECORD: u32 = 2249;
pub(super) const RECORD_ARRAY: u32 = 2287;
const NAME: u32 = 19;
const BPCHAR: u32 = 1042;
const VARCHAR: u32 = 1043;
const OID: u32 = 26;
const VARBIT: u32 = 1562;
const BIT: u32 = 1560;

/// Name, OID, OID of the array or 0.
const TYPES: &[(&str, u32, u32)] = &[
    ("bool", 16, 1000),
    ("bytea", 17, 1001),
    ("\"char\"", 18, 1002),
    ("name", NAME, 1003),
    ("int8", 20, 1016),
    ("int2", 21, 1005),
    ("int2vector", 22, 1006),
    ("int4", 23, 1007),
    ("regproc", 24, 1008),
    ("text", TEXT, 1009),
    ("oid", OID, 1028),
    ("tid", 27, 1010),
    ("xid", 28, 1011),
    ("cid", 29, 1012),
    ("oidvector", 30, 1013),
    ("json", JSON, 199),
    ("xml", 142, 143),
    ("point", 600, 1017),
    ("lseg", 601, 1018),
    ("path", 602, 1019),
    ("box", 603, 1020),
    ("polygon", 604, 1027),
    ("line", 628, 629),
    ("cidr", 650, 651),
    ("float4", 700, 1021),
    ("float8", 701, 1022),
    ("unknown", 705, 0),
    ("circle", 718, 719),
    ("macaddr8", 774, 775),
    ("money", 790, 791),
    ("macaddr", 829, 1040),
    ("inet", 869, 1041),
    ("aclitem", 1033, 1034),
    ("bpchar", BPCHAR, 1014),
    ("varchar", VARCHAR, 1015),
    ("date", 1082, 1182),
    ("time", TIME, 1183),
    ("timestamp", TIMESTAMP, 1115),
    ("timestamptz", TIMESTAMPTZ, 1185),
    ("interval", 1186, 1187),
    ("timetz", 1266, 1270),
    ("bit", BIT, 1561),
    ("varbit", VARBIT, 1563),
    ("numeric", 1700, 1231),
    ("refcursor", 1790, 2201),
    ("regprocedure", 2202, 2207),
    ("regoper", 2203, 2208),
    ("regoperator", 2204, 2209),
    ("regclass", 2205, 2210),
    ("regtype", 2206, 2211),
    ("record", RECORD, RECORD_ARRAY),
    ("cstring", 2275, 1263),
    ("void", 2278, 0),
    ("uuid", 2950, 2951),
    ("txid_snapshot", 2970, 2949),
    ("pg_lsn", 3220, 3221),
    ("tsvector", 3614, 3643),
    ("tsquery", 3615, 3645),
    ("regconfig", 3734, 3735),
    ("regdictionary", 3769, 3770),
    ("jsonb", JSONB, 3807),
    ("int4range", 3904, 3905),
    ("numrange", 3906, 3907),
    ("tsrange", 3908, 3909),
    ("tstzrange", 3910, 3911),
    ("daterange", 3912, 3913),
    ("int8range", 3926, 3927),
    ("jsonpath", 4072, 4073),
    ("regnamespace", 4089, 4090),
    ("regrole", 4096, 4097),
    ("regcollation", 4191, 4192),
    ("int4multirange", 4451, 6150),
    ("nummultirange", 4532, 6151),
    ("tsmultirange", 4533, 6152),
    ("tstzmultirange", 4534, 6153),
    ("datemultirange", 4535, 6155),
    ("int8multirange", 4536, 6157),
    ("pg_snapshot", 5038, 5039),
    ("xid8", 5069, 271),
];

/// Returns the name of a built-in type.
pub(super) fn name(oid: u32) -> Option<Cow<'static, str>> {
    TYPES.iter().find_map(|(name, scalar, array)| match oid {
        0 => None,
        oid if oid == *scalar => Some(Cow::Borrowed(*name)),
        oid if oid == *array => Some(Cow::Owned(format!("{name}[]"))),
        _ => None,
    })
}

/// Returns the type of the elements of a built-in array.
fn element(oid: u32) -> Option<u32> {
    let is_array = |(_, _, array): &&(&str, u32, u32)| oid != 0 && *array == oid;
    TYPES.iter().find(is_array).map(|(_, scalar, _)| *scalar)
}

/// Returns whether it is a built-in array.
pub(super) fn is_array(oid: u32) -> bool {
    element(oid).is_some()
}

/// Returns whether the bytes of a value of the one type are those of the same value of the other.
///
/// These are PostgreSQL's binary-coercible casts, and some more between types that hold text. The
/// casts between `oid` and `integer` are left out: half of their values are different numbers.
/// `cidr` read as `inet` is left out too: a byte of each value names its type, and diesel checks
/// it.
pub(super) fn reads(expected: u32, actual: u32) -> bool {
    if let (Some(expected), Some(actual)) = (element(expected), element(actual)) {
        return expected == actual || reads(expected, actual);
    }
    match expected {
        TEXT | VARCHAR | BPCHAR | NAME => matches!(
            actual,
            // "char", json, xml, unknown, refcursor, cstring; void is an empty text.
            TEXT | VARCHAR | BPCHAR | NAME | 18 | JSON | 142 | 705 | 1790 | 2275 | 2278
        ),
        // The reg* types.
        OID => matches!(actual, 24 | 2202..=2206 | 3734 | 3769 | 4089 | 4096 | 4191),
        VARBIT => actual == BIT,
        // int2vector and oidvector, which begin at 0.
        1005 => actual == 22,
        1028 => actual == 30,
        _ => false,
    }
}

/// Returns whether values of the one type are stored in a column of the other: texts are, in all
/// kinds of text.
pub(super) fn is_stored_in(sent: u32, column: u32) -> bool {
    if let (Some(sent), Some(column)) = (element(sent), element(column)) {
        return sent == column;
    }
    let is_text = |oid| matches!(oid, TEXT | VARCHAR | BPCHAR | NAME);
    sent == column || (is_text(sent) && is_text(column))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_have_names_and_arrays_have_elements() {
        assert_eq!(name(701).as_deref(), Some("float8"));
        assert_eq!(name(1015).as_deref(), Some("varchar[]"));
        assert_eq!(name(0), None);
        assert_eq!(element(1016), Some(20));
        assert!(!is_array(20));
    }
}
