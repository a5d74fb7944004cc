//! The list of objects and properties that no catalog has, so that no comparison reports them.

/// Kinds of objects and properties that are never compared, as the words of a sentence.
const NEVER_COMPARED: [&str; 31] = [
    "owners",
    "roles",
    "settings of roles and databases",
    "default privileges",
    "privileges of types, languages, databases and the schema public",
    "tablespaces",
    "access methods",
    "storage parameters",
    "UNLOGGED",
    "CLUSTER",
    "STORAGE and COMPRESSION",
    "statistics and their targets",
    "REPLICA IDENTITY",
    "COST, ROWS, SUPPORT and TRANSFORM of functions",
    "details of aggregates",
    "comments of attributes",
    NOT_NULL_DETAILS,
    "whether materialized views are filled",
    "comments on databases and extensions",
    "publications and subscriptions",
    "event triggers",
    "triggers of foreign keys",
    "foreign servers and the options of foreign tables",
    "operators",
    "casts",
    "collations and conversions",
    "languages",
    "text search",
    "versions of extensions",
    "security labels",
    "large objects",
];

/// Replay does not know these, and no server before PostgreSQL 18 has them. So they are compared
/// only between two databases of PostgreSQL 18 or later.
const NOT_NULL_DETAILS: &str = "names, NO INHERIT and NOT VALID of NOT NULL constraints (except between two servers of \
     version 18 or later)";

/// Returns the list as the beginning of a sentence: `a, b and c`.
pub fn never_compared() -> String {
    let [others @ .., last] = &NEVER_COMPARED;
    format!("{} and {last}", others.join(", "))
}

#[cfg(test)]
mod tests {
    use bowline::Session;
    use bowline::testing::LocalServer;
    use diesel::connection::SimpleConnection as _;

    use super::super::compare;
    use super::*;
    use crate::Catalog;
    use crate::testing::{introspect, rolled_back};

    /// The objects that the changes alter.
    const BASE: &str = "
        CREATE SCHEMA app; CREATE TYPE mood AS ENUM ('good'); CREATE TYPE pair AS (x int, y text);
        CREATE DOMAIN small AS int CHECK (VALUE < 10); CREATE TYPE span AS RANGE (subtype = float8);
        CREATE SEQUENCE steps; CREATE TABLE other (id int PRIMARY KEY, note text);
        CREATE TABLE a (id int PRIMARY KEY, b text, c int REFERENCES other, CHECK (c > 0)); CREATE INDEX a_b ON a ((lower(b)));
        CREATE TABLE parts (id int) PARTITION BY LIST (id); CREATE TABLE part (id int);
        CREATE TABLE whole (id int) PARTITION BY LIST (id); CREATE TABLE parted PARTITION OF whole DEFAULT;
        CREATE VIEW v AS SELECT id, b FROM a; CREATE MATERIALIZED VIEW m AS SELECT id FROM a;
        CREATE FUNCTION f(n int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1';
        CREATE FUNCTION rows() RETURNS SETOF int LANGUAGE sql AS 'SELECT 1';
        CREATE AGGREGATE total (int) (SFUNC = int4pl, STYPE = int);
        CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
        CREATE TRIGGER touched BEFORE UPDATE ON a FOR EACH ROW EXECUTE FUNCTION touch();
        CREATE TRIGGER watched BEFORE UPDATE ON whole FOR EACH ROW EXECUTE FUNCTION touch();
        CREATE POLICY own ON a USING (id > 1); CREATE RULE quiet AS ON DELETE TO a DO INSTEAD NOTHING;
        CREATE FUNCTION event() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
        CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w; CREATE FOREIGN TABLE far (id int) SERVER s;
        CREATE ROLE never_compared;";

    /// Changes, each with the entry of the list that names it. A comparison reports the changes
    /// without an entry.
    const CHANGES: &[(&str, &str)] = &[
        ("ALTER TABLE a OWNER TO never_compared", "owners"),
        ("ALTER SCHEMA app OWNER TO never_compared", "owners"),
        ("ALTER FUNCTION f OWNER TO never_compared", "owners"),
        ("ALTER TYPE mood OWNER TO never_compared", "owners"),
        ("CREATE ROLE never_compared_too", "roles"),
        ("GRANT pg_monitor TO never_compared", "roles"),
        (
            "ALTER ROLE never_compared SET work_mem = '1MB'",
            "settings of roles and databases",
        ),
        (
            "ALTER DATABASE postgres SET work_mem = '1MB'",
            "settings of roles and databases",
        ),
        (
            "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC",
            "default privileges",
        ),
        (
            "REVOKE ALL ON TYPE mood FROM PUBLIC",
            "privileges of types, languages, databases and the schema public",
        ),
        (
            "REVOKE ALL ON SCHEMA public FROM PUBLIC",
            "privileges of types, languages, databases and the schema public",
        ),
        (
            "REVOKE ALL ON LANGUAGE plpgsql FROM PUBLIC",
            "privileges of types, languages, databases and the schema public",
        ),
        (
            "REVOKE ALL ON DATABASE postgres FROM PUBLIC",
            "privileges of types, languages, databases and the schema public",
        ),
        (
            "CREATE ACCESS METHOD heap_too TYPE TABLE HANDLER heap_tableam_handler; ALTER TABLE a SET ACCESS METHOD heap_too",
            "access methods",
        ),
        ("ALTER TABLE a SET (fillfactor = 70)", "storage parameters"),
        (
            "ALTER TABLE a SET (autovacuum_enabled = false)",
            "storage parameters",
        ),
        (
            "ALTER INDEX a_b SET (fillfactor = 70)",
            "storage parameters",
        ),
        (
            "ALTER TABLE a ALTER b SET (n_distinct = 5)",
            "storage parameters",
        ),
        ("ALTER TABLE a SET UNLOGGED", "UNLOGGED"),
        ("ALTER TABLE a CLUSTER ON a_pkey", "CLUSTER"),
        (
            "ALTER TABLE a ALTER b SET STORAGE EXTERNAL",
            "STORAGE and COMPRESSION",
        ),
        (
            "ALTER TABLE a ALTER b SET COMPRESSION pglz",
            "STORAGE and COMPRESSION",
        ),
        (
            "ALTER TABLE a ALTER b SET STATISTICS 500",
            "statistics and their targets",
        ),
        (
            "ALTER INDEX a_b ALTER COLUMN 1 SET STATISTICS 500",
            "statistics and their targets",
        ),
        (
            "CREATE STATISTICS b_and_c ON b, c FROM a",
            "statistics and their targets",
        ),
        ("ALTER TABLE a REPLICA IDENTITY FULL", "REPLICA IDENTITY"),
        (
            "ALTER FUNCTION f COST 7",
            "COST, ROWS, SUPPORT and TRANSFORM of functions",
        ),
        (
            "ALTER FUNCTION rows ROWS 7",
            "COST, ROWS, SUPPORT and TRANSFORM of functions",
        ),
        (
            "ALTER FUNCTION rows SUPPORT generate_series_int4_support",
            "COST, ROWS, SUPPORT and TRANSFORM of functions",
        ),
        (
            "DROP AGGREGATE total (int); CREATE AGGREGATE total (int) (SFUNC = int4pl, STYPE = int, COMBINEFUNC = int4pl)",
            "details of aggregates",
        ),
        (
            "DROP TYPE span; CREATE TYPE span AS RANGE (subtype = float8, subtype_diff = float8mi)",
            "",
        ),
        (
            "CREATE PUBLICATION p FOR TABLE a",
            "publications and subscriptions",
        ),
        (
            "CREATE SUBSCRIPTION s CONNECTION 'host=nowhere' PUBLICATION p WITH (connect = false, slot_name = NONE)",
            "publications and subscriptions",
        ),
        (
            "CREATE EVENT TRIGGER e ON ddl_command_start EXECUTE FUNCTION event()",
            "event triggers",
        ),
        (
            "UPDATE pg_trigger SET tgenabled = 'D' WHERE tgrelid = 'a'::regclass AND tgisinternal",
            "triggers of foreign keys",
        ),
        (
            "CREATE FOREIGN DATA WRAPPER w2",
            "foreign servers and the options of foreign tables",
        ),
        (
            "CREATE SERVER s2 FOREIGN DATA WRAPPER w",
            "foreign servers and the options of foreign tables",
        ),
        (
            "CREATE USER MAPPING FOR PUBLIC SERVER s",
            "foreign servers and the options of foreign tables",
        ),
        (
            "ALTER FOREIGN TABLE far OPTIONS (ADD x 'y')",
            "foreign servers and the options of foreign tables",
        ),
        (
            "CREATE OPERATOR === (LEFTARG = int, RIGHTARG = int, FUNCTION = int4eq)",
            "operators",
        ),
        ("CREATE OPERATOR FAMILY more USING btree", "operators"),
        (
            "CREATE OPERATOR CLASS more FOR TYPE int USING btree AS OPERATOR 1 <",
            "operators",
        ),
        ("CREATE CAST (pair AS text) WITH INOUT", "casts"),
        (
            "CREATE COLLATION plain FROM \"C\"",
            "collations and conversions",
        ),
        (
            "CREATE CONVERSION more FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8",
            "collations and conversions",
        ),
        (
            "CREATE LANGUAGE more HANDLER plpgsql_call_handler",
            "languages",
        ),
        (
            "CREATE TEXT SEARCH CONFIGURATION more (COPY = simple)",
            "text search",
        ),
        (
            "CREATE TEXT SEARCH DICTIONARY more (TEMPLATE = simple)",
            "text search",
        ),
        ("SELECT lo_create(0)", "large objects"),
        (
            "REFRESH MATERIALIZED VIEW m WITH NO DATA",
            "whether materialized views are filled",
        ),
        (
            "COMMENT ON EXTENSION plpgsql IS 'x'",
            "comments on databases and extensions",
        ),
        (
            "COMMENT ON DATABASE postgres IS 'x'",
            "comments on databases and extensions",
        ),
        (
            "ALTER TYPE pair ALTER ATTRIBUTE y TYPE text COLLATE \"C\"",
            "",
        ),
        // Changes of facts that a catalog has.
        ("COMMENT ON FUNCTION f(int) IS 'x'", ""),
        ("COMMENT ON TRIGGER touched ON a IS 'x'", ""),
        ("COMMENT ON POLICY own ON a IS 'x'", ""),
        ("COMMENT ON RULE quiet ON a IS 'x'", ""),
        ("COMMENT ON SEQUENCE steps IS 'x'", ""),
        ("COMMENT ON COLUMN v.b IS 'x'", ""),
        ("COMMENT ON SCHEMA app IS 'x'", ""),
        ("ALTER TABLE a ENABLE ROW LEVEL SECURITY", ""),
        ("ALTER TABLE a DISABLE TRIGGER touched", ""),
        ("ALTER TABLE parted DISABLE TRIGGER watched", ""),
        ("ALTER TABLE other ADD span interval day to second", ""),
        ("ALTER TABLE a DISABLE RULE quiet", ""),
        ("ALTER VIEW v SET (security_barrier = true)", ""),
        ("ALTER VIEW v ALTER b SET DEFAULT 'x'", ""),
        (
            "CREATE OR REPLACE VIEW v AS SELECT id, b FROM a WITH CHECK OPTION",
            "",
        ),
        ("ALTER TABLE parts ATTACH PARTITION part DEFAULT", ""),
        ("CREATE TABLE heir () INHERITS (other)", ""),
        ("ALTER SEQUENCE steps CACHE 7", ""),
        ("ALTER SEQUENCE steps OWNED BY a.id", ""),
        ("ALTER FUNCTION f STRICT SECURITY DEFINER", ""),
        ("ALTER FUNCTION f SET work_mem = '1MB'", ""),
        ("ALTER FUNCTION f PARALLEL SAFE", ""),
        (
            "DROP AGGREGATE total (int); CREATE AGGREGATE total (int) (SFUNC = int4pl, STYPE = int, INITCOND = '0')",
            "",
        ),
        (
            "COMMENT ON CONSTRAINT small_check ON DOMAIN small IS 'x'",
            "",
        ),
        ("COMMENT ON COLUMN pair.x IS 'x'", "comments of attributes"),
        ("COMMENT ON TYPE mood IS 'x'", ""),
        ("ALTER DOMAIN small SET NOT NULL", ""),
        ("GRANT SELECT ON a TO never_compared", ""),
        ("GRANT SELECT (b) ON a TO never_compared", ""),
        ("GRANT USAGE ON SCHEMA app TO never_compared", ""),
        ("GRANT USAGE ON SEQUENCE steps TO never_compared", ""),
        ("ALTER TABLE a ALTER CONSTRAINT a_c_fkey DEFERRABLE", ""),
        ("ALTER TABLE other ALTER note TYPE text COLLATE \"C\"", ""),
        (
            "CREATE TYPE base; CREATE FUNCTION base_in(cstring) RETURNS base LANGUAGE internal AS 'int4in'; CREATE FUNCTION base_out(base) RETURNS cstring LANGUAGE internal AS 'int4out'; CREATE TYPE base (INPUT = base_in, OUTPUT = base_out)",
            "",
        ),
    ];

    /// Returns the catalog after the statements, which are rolled back.
    fn after(session: &mut Session, statements: &str) -> bowline::Result<Catalog> {
        rolled_back(session, |session| {
            session
                .batch_execute(statements)
                .map_err(bowline::Error::from)?;
            introspect(session)
        })
    }

    #[test]
    fn each_change_is_compared_or_named() {
        let server = LocalServer::start().unwrap_or_else(|error| panic!("{error}"));
        let mut session = Session::connect(&server.config("postgres")).expect("a connection");
        let wrong = rolled_back(&mut session, |session| {
            session.batch_execute(BASE).map_err(bowline::Error::from)?;
            let base = introspect(session)?;
            let mut wrong = Vec::new();
            for (change, named) in CHANGES {
                let changed = match after(session, change) {
                    Ok(changed) => changed,
                    Err(error) => {
                        wrong.push(format!("{change}: {error}"));
                        continue;
                    }
                };
                let is_reported = !compare(&base, &changed).is_empty();
                let is_listed = NEVER_COMPARED.contains(named);
                if is_reported == is_listed || is_listed == named.is_empty() {
                    wrong.push(format!(
                        "{change}: reported {is_reported}, listed under {named:?}"
                    ));
                }
            }
            // The test server cannot make these changes: they need a second volume, another release
            // of an extension, a label provider, or PostgreSQL 18.
            let unshown = [
                "tablespaces",
                "versions of extensions",
                "security labels",
                NOT_NULL_DETAILS,
            ];
            for entry in NEVER_COMPARED
                .iter()
                .filter(|entry| !unshown.contains(entry))
            {
                if !CHANGES.iter().any(|(_, named)| named == entry) {
                    wrong.push(format!("{entry}: no change shows it"));
                }
            }
            Ok(wrong)
        });
        let wrong = wrong.expect("PostgreSQL takes the base");
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}
