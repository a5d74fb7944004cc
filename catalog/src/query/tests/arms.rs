//! Every arm of the checker is needed: if any one of them is switched off, the answer to some query
//! differs. The answers themselves are compared with those of a server by `differential`.

use std::collections::BTreeSet;
use std::path::Path;

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, RngSeed, TestRunner};
use squawk_syntax::{SourceFile, SyntaxKind, SyntaxKind as K};

use super::choices::Choices;
use super::differential::number;
use super::query_names::{QueryNames, built_in, relations};
use super::schema::schema;
use super::server::Server;
use super::statement::statement;
use crate::Catalog;
use crate::query::Checker;
use crate::replay::syntax::off::without;
use crate::testing::replayed;

/// The number of queries that are checked with one schema.
const PER_SCHEMA: usize = 25;

/// The number of queries with an arm that are tried before it counts as not needed.
const TRIED: usize = 40;

/// Returns every kind of syntax that the sources of the checker name.
fn arms() -> BTreeSet<SyntaxKind> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/query");
    let mut named = BTreeSet::new();
    for entry in std::fs::read_dir(folder).expect("the sources of the checker") {
        let path = entry.expect("a file").path();
        if path.extension().is_none_or(|it| it != "rs") {
            continue;
        }
        let text = std::fs::read_to_string(path).expect("a source");
        for (at, before) in text
            .match_indices("K::")
            .chain(text.match_indices("SyntaxKind::"))
        {
            let rest = &text[at + before.len()..];
            let end = rest.find(|c: char| !(c.is_ascii_uppercase() || c == '_'));
            named.insert(rest[..end.unwrap_or(rest.len())].to_owned());
        }
    }
    let kinds = (0..u16::from(SyntaxKind::__LAST)).map(SyntaxKind::from);
    kinds
        .filter(|kind| named.contains(&format!("{kind:?}")))
        .collect()
}

/// A query, the catalog that it is checked with, and the kinds of its syntax.
struct Case {
    catalog: usize,
    sql: String,
    kinds: BTreeSet<SyntaxKind>,
}

impl Case {
    fn new(catalog: usize, sql: String) -> Self {
        let parse = SourceFile::parse(&sql);
        let below = parse.syntax_node().descendants_with_tokens();
        let kinds = below.map(|part| part.kind()).collect();
        Self {
            catalog,
            sql,
            kinds,
        }
    }
}

/// The arms that no query needs. Switched off, each leaves the answers as they are.
const EXEMPT: [SyntaxKind; 54] = [
    // Tokens: a token cannot be switched off, only the node that has it.
    K::ALL_KW,
    K::BETWEEN_KW,
    K::COLON_COLON,
    K::COMMA,
    K::DISTINCT_KW,
    K::DOT,
    K::FOR_KW,
    K::FROM_KW,
    K::IDENT,
    K::INDENT_KW,
    K::L_PAREN,
    K::NOT_KW,
    K::ONLY_KW,
    K::OPERATOR_KW,
    K::OVERRIDING_KW,
    K::R_PAREN,
    K::ROW_KW,
    K::TABLE_KW,
    // Kinds that say which version has them, or which statement is refused, and decide no type.
    K::CONFLICT_ON_CONSTRAINT,
    K::CONSTRAINT_NAME_REF,
    K::FETCH_ONLY,
    K::FRAME_EXCLUDE,
    K::FOR_KEY_SHARE,
    K::FOR_NO_KEY_UPDATE,
    K::IS_NOT_JSON,
    K::LOCKING_OF,
    K::MERGE_WHEN_MATCHED,
    K::MERGE_WHEN_NOT_MATCHED_SOURCE,
    K::MERGE_WHEN_NOT_MATCHED_TARGET,
    K::NULLS_FIRST,
    K::SKIP_LOCKED,
    K::TRIM_LEADING,
    K::TRIM_TRAILING,
    K::WITH_TIES,
    // Nodes that are found by other means too: by their position, or by a token within.
    K::EXPR_FOLLOWING,
    K::EXPR_PRECEDING,
    K::EXTRACT_FIELD_NAME,
    K::FIELD_ACCESSOR,
    K::JSON_KEY_VALUE,
    K::JSON_TABLE,
    K::NAMED_ARG,
    K::OP,
    K::OPTIONAL_AS_ALIAS,
    K::POSTFIX_EXPR,
    K::RELATION_NAME,
    K::REQUIRED_AS_ALIAS,
    K::SLICE_ACCESSOR,
    K::SOURCE_FILE,
    K::TABLE_NAME_REF,
    K::TABLE_RELATION_NAME,
    K::TRIM_EXPR_FROM,
    K::WINDOW_REF,
    K::XML_TABLE,
    K::XML_TABLE_COLUMN_LIST,
];

/// The tables of [`RARE`].
const TABLES: &str = "CREATE TABLE a (id int PRIMARY KEY, t text NOT NULL, n numeric, j jsonb, x xml, l int[], at timestamptz);
    CREATE TABLE b (id int PRIMARY KEY, a_id int REFERENCES a, t text CONSTRAINT b_t UNIQUE);
    CREATE VIEW counted AS SELECT count(*) AS n FROM a;";

/// Queries with what random ones have seldom or never.
const RARE: &[&str] = &[
    "SELECT at AT LOCAL FROM a",
    "SELECT sum(id) OVER (ORDER BY id ROWS 1 PRECEDING EXCLUDE GROUP) AS s FROM a",
    "SELECT 1 AS one FROM (SELECT DISTINCT ON (id) t FROM a) x WHERE t = $1",
    "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SEARCH DEPTH FIRST BY no SET o SELECT n FROM r",
    "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) CYCLE no SET c USING p SELECT n FROM r",
    "MERGE INTO counted USING b ON b.id = counted.n WHEN MATCHED THEN DELETE",
    "UPDATE a SET id = 1 FROM b, unnest(id) AS u",
    "SELECT COLLATION FOR (t) AS c FROM a",
    "INSERT INTO b (id, t) VALUES (1, $1) ON CONFLICT ON CONSTRAINT b_t DO UPDATE SET t = excluded.t",
    "COPY a TO STDOUT",
    "DECLARE c CURSOR FOR SELECT 1",
    "EXECUTE p",
    "EXPLAIN SELECT 1",
    "FETCH NEXT FROM c",
    "SHOW work_mem",
    "SELECT sum(n) OVER (ORDER BY id ROWS BETWEEN 1 PRECEDING AND $1 FOLLOWING) AS s FROM a",
    "SELECT sum(n) OVER (ORDER BY at RANGE BETWEEN $1 PRECEDING AND CURRENT ROW) AS s FROM a",
    "SELECT sum(n) OVER (ROWS UNBOUNDED FOLLOWING) AS s FROM a",
    "SELECT sum(n) OVER (ROWS BETWEEN CURRENT ROW AND UNBOUNDED PRECEDING) AS s FROM a",
    "SELECT sum(n) OVER (ROWS BETWEEN CURRENT ROW AND 1 PRECEDING) AS s FROM a",
    "SELECT sum(n) OVER (w ORDER BY n) AS s FROM a WINDOW w AS (PARTITION BY t)",
    "SELECT (ROW(1, 'x'::text)).f1 FROM a",
    "SELECT (b).t FROM b",
    "SELECT * FROM a FOR KEY SHARE",
    "SELECT a.id FROM a JOIN b ON b.a_id = a.id FOR NO KEY UPDATE OF a SKIP LOCKED",
    "SELECT t IS JSON AS k FROM a",
    "SELECT t IS NOT JSON OBJECT AS k FROM a",
    "SELECT t IS NORMALIZED AS k FROM a",
    "SELECT t IS NOT NFC NORMALIZED AS k FROM a",
    "SELECT json_arrayagg(id) AS k FROM a",
    "SELECT json_objectagg(t : id RETURNING jsonb) AS k FROM a",
    "SELECT json_array(id, t RETURNING jsonb) AS k FROM a",
    "SELECT json_object('a' : id, 'b' VALUE t) AS k FROM a",
    "SELECT json_exists(j, '$.a') AS k FROM a",
    "SELECT json_value(j, '$.a' RETURNING int) AS k FROM a",
    "SELECT json_query(j, '$.a') AS k FROM a",
    "SELECT json_serialize(j RETURNING bytea) AS k FROM a",
    "SELECT json_scalar(id) AS k FROM a",
    "SELECT JSON(t) AS k FROM a",
    "SELECT k.* FROM a, JSON_TABLE(j, '$[*]' COLUMNS (n FOR ORDINALITY, v int PATH '$.v', e text EXISTS PATH '$.e', NESTED PATH '$.m[*]' COLUMNS (w text PATH '$'))) AS k",
    "SELECT k.* FROM a, XMLTABLE('/r' PASSING x COLUMNS n FOR ORDINALITY, v int PATH 'v' NOT NULL) AS k",
    "SELECT xmlelement(name e, t) AS k FROM a",
    "SELECT xmlforest(t AS u) AS k FROM a",
    "SELECT xmlparse(DOCUMENT t) AS k FROM a",
    "SELECT xmlpi(name p, t) AS k FROM a",
    "SELECT xmlroot(x, VERSION '1.0') AS k FROM a",
    "SELECT xmlserialize(CONTENT x AS text INDENT) AS k FROM a",
    "SELECT xmlexists('/r' PASSING x) AS k FROM a",
    "MERGE INTO a USING b ON b.a_id = a.id WHEN MATCHED AND b.t = $1 THEN DELETE WHEN NOT MATCHED BY SOURCE AND a.n > $2 THEN DELETE WHEN NOT MATCHED BY TARGET THEN INSERT (id, t) VALUES (b.id, b.t)",
    "UPDATE a SET t = $1 RETURNING old.t AS before, new.t AS after",
    "UPDATE a SET t = $1 RETURNING WITH (OLD AS o, NEW AS n) o.t AS before, n.t AS after",
    "SELECT t NOT LIKE $1 AS k FROM a",
    "SELECT t NOT SIMILAR TO $1 AS k FROM a",
    "SELECT t SIMILAR TO $1 AS k FROM a",
    "SELECT id FROM a ORDER BY id DESC NULLS LAST, n NULLS FIRST",
    "SELECT id FROM a ORDER BY id USING >",
    "SELECT id OPERATOR(pg_catalog.+) 1 AS k FROM a",
    "SELECT t ISNULL AS k, t NOTNULL AS m FROM a",
    "SELECT * FROM a TABLESAMPLE BERNOULLI ($1) REPEATABLE ($2)",
    "SELECT count(*) OVER (GROUPS 1 PRECEDING) AS k, sum(id) OVER (ORDER BY n RANGE $1 PRECEDING) AS m FROM a",
    "SELECT sum(id) OVER (ORDER BY n RANGE $1 PRECEDING) AS m FROM a",
    "SELECT sum(id) OVER (w PARTITION BY t) AS m FROM a WINDOW w AS (ORDER BY n)",
    "SELECT id INTO c FROM a",
    "SELECT id FROM a WHERE id = SOME (l)",
    "SELECT l[1:$1] FROM a",
    "SELECT l[:] FROM a",
    "TABLE a",
    "SELECT id FROM (TABLE b) AS k",
    "SELECT trim(LEADING 'x' FROM t) AS k, trim(TRAILING FROM t) AS m FROM a",
    "UPDATE a SET t = 'x' WHERE CURRENT OF c",
    "SELECT id FROM a ORDER BY id FETCH FIRST $1 ROWS WITH TIES",
    "SELECT DISTINCT t FROM a ORDER BY n",
    "SELECT count(DISTINCT t ORDER BY n) AS k FROM a",
    "SELECT extract(nothing FROM at) AS k FROM a",
    "SELECT make_interval(days => $1) AS k FROM a",
    "WITH RECURSIVE r (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SEARCH DEPTH FIRST BY n SET o CYCLE n SET c TO 'y' DEFAULT 'n' USING p SELECT * FROM r",
    "WITH RECURSIVE r (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) CYCLE n SET c TO 1 DEFAULT 2.5 USING p SELECT * FROM r",
];

/// Returns random schemas, and random queries over them.
fn cases(queries: usize) -> (Vec<Catalog>, Vec<Case>) {
    let mut server = Server::start("arms");
    let (functions, operators) = built_in(&mut server);
    let mut runner = TestRunner::new(Config {
        rng_seed: RngSeed::Fixed(number("BOWLINE_SEED", 7).into()),
        ..Config::default()
    });
    let list = |length| prop::collection::vec(any::<u16>(), length);
    let strategy = (list(400), prop::collection::vec(list(200), PER_SCHEMA));
    let mut catalogs = vec![replayed(TABLES)];
    let rare = RARE.iter().map(|sql| Case::new(0, (*sql).to_owned()));
    let mut cases: Vec<Case> = rare.collect();
    while cases.len() < queries {
        let tree = strategy.new_tree(&mut runner).expect("choices");
        let (of_schema, of_queries) = tree.current();
        let schema = schema(&mut Choices::new(&of_schema), server.version);
        let catalog = replayed(&(schema.sql + &schema.late));
        let world = QueryNames {
            relations: relations(&catalog),
            functions: functions.clone(),
            operators: operators.clone(),
            version: server.version,
        };
        let at = catalogs.len();
        catalogs.push(catalog);
        let texts = of_queries.iter().map(|choices| statement(&world, choices));
        cases.extend(texts.map(|sql| Case::new(at, sql)));
    }
    (catalogs, cases)
}

#[test]
fn every_arm_is_needed() {
    let (catalogs, cases) = cases(number("BOWLINE_ARMS", 1500) as usize);
    // A panic is an answer too: a part of the syntax that is never missing can be off.
    let answer = |case: &Case, off| {
        let checked = std::panic::catch_unwind(|| {
            without(off, || {
                Checker::new(&catalogs[case.catalog]).check(&case.sql)
            })
        });
        checked
            .ok()
            .map(|checked| checked.map_err(|fault| (fault.code, fault.message)))
    };
    let is_needed = |arm: &SyntaxKind| {
        let with_arm = cases.iter().filter(|case| case.kinds.contains(arm));
        with_arm
            .take(TRIED)
            .any(|case| answer(case, None) != answer(case, Some(*arm)))
    };
    let arms = arms();
    let open: Vec<SyntaxKind> = arms
        .into_iter()
        .filter(|arm| !EXEMPT.contains(arm) && !is_needed(arm))
        .collect();
    assert!(
        open.is_empty(),
        "{open:?}: these arms can be switched off without another answer; add a query to RARE"
    );
}
