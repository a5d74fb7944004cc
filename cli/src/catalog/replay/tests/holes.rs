//! Filling the holes of a template from what the catalog holds by then, so that most statements are valid.
//!
//! Nothing here knows PostgreSQL's rules: what fits seldom only makes a history shorter.

use super::super::*;
use crate::catalog::definition::{literal, quoted};
use crate::catalog::{Column, ConstraintKind, Fill, Name, Relation, RelationKind, TypeKind};

const TABLES: [&str; 7] = [
    "t0",
    "t1",
    "t2",
    "T 3",
    "t0_a",
    "t4",
    "a_table_whose_name_is_quite_as_long_as_any_name_may_ever_be_xyz",
];
const COLUMNS: [&str; 9] = [
    "a",
    "b",
    "c",
    "id",
    "x",
    "a_b",
    "C d",
    "y",
    "a_column_with_a_name_that_is_nearly_as_long_as_it_can_be",
];
/// Names for constraints, indexes and sequences; some are those that PostgreSQL would choose for others.
const NAMES: [&str; 16] = [
    "k0",
    "k1",
    "k2",
    "k3",
    "k4",
    "N\"2",
    "t0_a_key",
    "t0_pkey",
    "t0_a_idx",
    "t0_a_check",
    "t1_a_fkey",
    "t0_id_seq",
    "t1_id_seq1",
    "t1_check",
    "a_name_that_is_too_long_to_be_kept_as_it_is_and_so_is_cut_at_63_bytes",
    "k5",
];
const TYPES: [&str; 18] = [
    "int",
    "int",
    "int",
    "int",
    "bigint",
    "smallint",
    "text",
    "text",
    "varchar(9)",
    "numeric(8,2)",
    "boolean",
    "timestamptz",
    "date",
    "uuid",
    "jsonb",
    "int[]",
    "text[]",
    "char(3)",
];

/// A column as far as expressions over it go.
#[derive(Clone)]
struct Known {
    name: String,
    data_type: String,
}

impl Known {
    fn of(column: &Column) -> Self {
        let array = if column.data_type.dimensions > 0 {
            "[]"
        } else {
            ""
        };
        Self {
            name: column.name.clone(),
            data_type: format!("{}{array}", column.data_type.name.name),
        }
    }

    fn is_number(&self) -> bool {
        let plain = self.data_type.split('(').next().unwrap_or_default();
        [
            "int", "int2", "int4", "int8", "bigint", "smallint", "numeric",
        ]
        .contains(&plain)
    }

    fn is_text(&self) -> bool {
        let plain = self.data_type.split('(').next().unwrap_or_default();
        ["text", "varchar"].contains(&plain)
    }

    /// Types whose values can be compared with each other, by one word.
    fn family(&self) -> &str {
        if self.is_number() {
            "number"
        } else if self.is_text() {
            "text"
        } else {
            &self.data_type
        }
    }
}

/// Fills the holes of one template.
struct Filler<'a> {
    replay: &'a Replay,
    picks: std::iter::Cycle<std::slice::Iter<'a, u8>>,
    turn: usize,
    /// The columns of the table that the statement is about.
    columns: Vec<Known>,
    table: Option<&'a Relation>,
    /// What `{its}` names.
    its: String,
    made: String,
    made_type: String,
}

/// The statements of a template, which stand between semicolons.
pub(super) fn fill(template: &str, picks: &[u8], replay: &Replay) -> String {
    let mut filler = Filler {
        replay,
        picks: picks.iter().cycle(),
        turn: 0,
        columns: Vec::new(),
        table: None,
        its: "a".to_owned(),
        made: "t0".to_owned(),
        made_type: "p0".to_owned(),
    };
    let mut out = String::new();
    let mut rest = template;
    while let Some(at) = rest.find('{') {
        let end = rest.find('}').expect("a hole has an end");
        out.push_str(&rest[..at]);
        out.push_str(&filler.hole(&rest[at + 1..end]));
        rest = &rest[end + 1..];
    }
    out + rest
}

impl<'a> Filler<'a> {
    fn pick(&mut self, count: usize) -> usize {
        let pick = self.picks.next().copied().map_or(0, usize::from);
        self.turn += 1;
        (pick + self.turn) % count.max(1)
    }

    fn one_of<T: Clone>(&mut self, choices: &[T]) -> Option<T> {
        let at = self.pick(choices.len());
        choices.get(at).cloned()
    }

    fn word(&mut self, choices: &[&str]) -> String {
        self.one_of(choices).unwrap_or_default().to_owned()
    }

    /// A name, with its schema where it would not be found without.
    fn written(&mut self, name: &Name) -> String {
        let is_found = self.replay.search_path.contains(&name.schema);
        if !is_found || self.pick(8) == 0 {
            format!("{}.{}", quoted(&name.schema), quoted(&name.name))
        } else {
            quoted(&name.name)
        }
    }

    /// One of these names that is free, mostly.
    fn free(&mut self, names: &[&str], is_taken: impl Fn(&str) -> bool) -> String {
        let free: Vec<&str> = names
            .iter()
            .copied()
            .filter(|name| !is_taken(name))
            .collect();
        if free.is_empty() || self.pick(12) == 0 {
            quoted(&self.word(names))
        } else {
            quoted(&self.word(&free))
        }
    }

    fn new_relation(&mut self, names: &[&str]) -> String {
        let replay = self.replay;
        let schemas: Vec<&String> = replay.schemas.iter().collect();
        let schema = if self.pick(8) == 0 {
            self.one_of(&schemas)
        } else {
            None
        };
        let lookup = schema
            .cloned()
            .or_else(|| replay.search_path.first().cloned())
            .unwrap_or_else(|| PUBLIC.to_owned());
        let name = self.free(names, |name| replay.has_relation(&lookup, name));
        match schema {
            Some(schema) => format!("{}.{name}", quoted(schema)),
            None => name,
        }
    }

    fn relations(&self, is_wanted: impl Fn(&Relation) -> bool) -> Vec<&'a Relation> {
        let replay = self.replay;
        let all = replay.catalog.relations.values();
        all.filter(|relation| is_wanted(relation)).collect()
    }

    /// Names one of these, and has it as what the statement is about.
    fn about(&mut self, choices: &[&'a Relation]) -> String {
        let Some(chosen) = self.one_of(choices) else {
            return "missing".to_owned();
        };
        self.table = Some(chosen);
        self.columns = chosen.columns.iter().map(Known::of).collect();
        self.written(&chosen.name)
    }

    /// Names a table of which one item is what `{its}` stands for.
    fn about_with(&mut self, items: impl Fn(&Relation) -> Vec<String>) -> String {
        let choices: Vec<(&'a Relation, String)> = self
            .relations(is_table)
            .into_iter()
            .flat_map(|table| items(table).into_iter().map(move |item| (table, item)))
            .collect();
        let Some((table, item)) = self.one_of(&choices) else {
            return "missing".to_owned();
        };
        self.its = quoted(&item);
        self.about(&[table])
    }

    /// Names one of two related tables; `{its}` is the other.
    fn about_pair(&mut self, pairs: &[(&'a Relation, &'a Relation)]) -> String {
        let Some((one, other)) = self.one_of(pairs) else {
            return "missing".to_owned();
        };
        self.its = self.written(&other.name);
        self.about(&[one])
    }

    fn pairs(
        &self,
        are_wanted: impl Fn(&Relation, &Relation) -> bool,
    ) -> Vec<(&'a Relation, &'a Relation)> {
        let tables = self.relations(is_table);
        let pairs = tables
            .iter()
            .flat_map(|one| tables.iter().map(move |other| (*one, *other)));
        pairs
            .filter(|(one, other)| one.name != other.name && are_wanted(one, other))
            .collect()
    }

    fn column(&mut self, is_wanted: impl Fn(&Known) -> bool) -> Known {
        let fitting: Vec<Known> = self
            .columns
            .iter()
            .filter(|c| is_wanted(c))
            .cloned()
            .collect();
        let found = self.one_of(&fitting);
        let columns = self.columns.clone();
        found
            .or_else(|| self.one_of(&columns))
            .unwrap_or_else(|| Known {
                name: "a".to_owned(),
                data_type: "int".to_owned(),
            })
    }

    fn new_column(&mut self) -> String {
        let columns = self.columns.clone();
        self.free(&COLUMNS, |name| {
            columns.iter().any(|column| column.name == name)
        })
    }

    fn types(&self, is_wanted: impl Fn(&TypeKind) -> bool) -> Vec<&'a crate::catalog::Type> {
        let replay = self.replay;
        let all = replay.catalog.types.values();
        all.filter(|found| is_wanted(&found.kind)).collect()
    }

    fn data_type(&mut self) -> String {
        let own = self.types(|_| true);
        if !own.is_empty() && self.pick(4) == 0 {
            let chosen = self.one_of(&own).map(|found| found.name.clone());
            let name = chosen.map(|name| self.written(&name)).unwrap_or_default();
            let array = if self.pick(5) == 0 { "[]" } else { "" };
            return format!("{name}{array}");
        }
        self.word(&TYPES)
    }

    fn definition(&mut self) -> String {
        let name = self.new_column();
        let data_type = self.data_type();
        self.columns.push(Known {
            name: identifier_of(&name),
            data_type: data_type.clone(),
        });
        format!("{name} {data_type}")
    }

    fn default_of(&mut self, column: &Known) -> String {
        let text: &[&str] = if column.is_number() {
            &["7", "0", "1 + 1"]
        } else if column.is_text() {
            &["'x'", "'it''s'", "lower('X')", "NULL"]
        } else {
            match column.data_type.as_str() {
                "boolean" | "bool" => &["true", "false"],
                "timestamptz" => &["now()", "CURRENT_TIMESTAMP"],
                "date" => &["'2020-01-02'"],
                "uuid" => &["gen_random_uuid()"],
                _ => &["NULL"],
            }
        };
        self.word(text)
    }

    fn condition(&mut self) -> String {
        let number = self.column(Known::is_number);
        let (one, other) = (quoted(&number.name), self.column(|_| true));
        let any = quoted(&other.name);
        if number.is_number() {
            let second = self.column(Known::is_number);
            let second = quoted(&second.name);
            match self.pick(8) {
                0 => format!("{any} IS NOT NULL"),
                1 => format!("{one} > {second}"),
                2 => format!("{one} <> 3 AND {second} < 9"),
                3 => format!("coalesce({one}, 1) > 0"),
                4 => format!("{one} + {second} > 2 OR {any} IS NULL"),
                5 => "true".to_owned(),
                _ => format!("{one} > 0"),
            }
        } else if other.is_text() {
            let text = ["<> 'x'", "IS NOT NULL", "<> 'it''s'"];
            format!("{any} {}", self.word(&text))
        } else {
            format!("{any} IS NOT NULL")
        }
    }

    /// A key to which a column of this family can refer.
    fn key_for(&mut self, family: &str) -> String {
        let keys: Vec<(&'a Relation, &'a String, bool)> = self
            .relations(is_table)
            .into_iter()
            .flat_map(|table| {
                table.constraints.iter().filter_map(move |constraint| {
                    let (columns, is_primary) = match &constraint.kind {
                        ConstraintKind::PrimaryKey { columns } => (columns, true),
                        ConstraintKind::Unique { columns, .. } => (columns, false),
                        _ => return None,
                    };
                    match columns.as_slice() {
                        [only] => Some((table, only, is_primary)),
                        _ => None,
                    }
                })
            })
            .filter(|(table, key, _)| {
                let column = table.columns.iter().find(|column| column.name == **key);
                column.is_some_and(|column| Known::of(column).family() == family)
            })
            .collect();
        let Some((table, key, is_primary)) = self.one_of(&keys) else {
            return "missing".to_owned();
        };
        let name = self.written(&table.name);
        if is_primary && self.pick(2) == 0 {
            name
        } else {
            format!("{name} ({})", quoted(key))
        }
    }

    fn bound(&mut self) -> String {
        let key = self.table.and_then(|table| table.partition_by.clone());
        let key = key.unwrap_or_default().to_ascii_lowercase();
        let number = self.pick(6) * 10;
        if key.starts_with("hash") {
            format!("FOR VALUES WITH (MODULUS 8, REMAINDER {})", number / 10)
        } else if self.pick(7) == 0 {
            "DEFAULT".to_owned()
        } else if key.starts_with("list") {
            format!("FOR VALUES IN ({number}, {})", number + 1)
        } else {
            format!("FOR VALUES FROM ({number}) TO ({})", number + 10)
        }
    }

    fn type_of(&mut self, is_wanted: impl Fn(&TypeKind) -> bool) -> String {
        let choices = self.types(is_wanted);
        let Some(chosen) = self.one_of(&choices) else {
            return "missing".to_owned();
        };
        let items: Vec<String> = match &chosen.kind {
            TypeKind::Enum { labels } => labels.clone(),
            TypeKind::Composite { attributes } => {
                self.columns = attributes
                    .iter()
                    .map(|(name, data_type)| Known {
                        name: name.clone(),
                        data_type: data_type.name.name.clone(),
                    })
                    .collect();
                attributes.iter().map(|(name, _)| quoted(name)).collect()
            }
            TypeKind::Domain { checks, .. } => {
                checks.iter().map(|check| quoted(&check.name)).collect()
            }
            _ => Vec::new(),
        };
        self.its = self.one_of(&items).unwrap_or_else(|| "missing".to_owned());
        self.written(&chosen.name)
    }

    fn names_of_table(&mut self, kind: &str) -> String {
        let of_constraints = |is_wanted: fn(&ConstraintKind) -> bool| {
            move |table: &Relation| {
                let constraints = table.constraints.iter();
                let wanted = constraints.filter(|constraint| is_wanted(&constraint.kind));
                wanted.map(|constraint| constraint.name.clone()).collect()
            }
        };
        let of_columns = |is_wanted: fn(&Column) -> bool| {
            move |table: &Relation| {
                let columns = table.columns.iter().filter(|column| is_wanted(column));
                columns.map(|column| column.name.clone()).collect()
            }
        };
        use ConstraintKind as C;
        match kind {
            "constraint" => self.about_with(of_constraints(|_| true)),
            "check" => self.about_with(of_constraints(|kind| matches!(kind, C::Check { .. }))),
            "foreign" => {
                self.about_with(of_constraints(|kind| matches!(kind, C::ForeignKey { .. })))
            }
            "key" => self.about_with(of_constraints(ConstraintKind::has_index)),
            "identity" => self.about_with(of_columns(|c| matches!(c.fill, Fill::Identity { .. }))),
            "serial" => self.about_with(of_columns(|c| matches!(c.fill, Fill::Serial { .. }))),
            "generated" => {
                self.about_with(of_columns(|c| matches!(c.fill, Fill::Generated { .. })))
            }
            "default" => self.about_with(of_columns(|c| matches!(c.fill, Fill::Default(_)))),
            "strict" => self.about_with(of_columns(|c| c.not_null)),
            "loose" => self.about_with(of_columns(|c| !c.not_null)),
            "bare" => self.about_with(of_columns(|c| c.not_null && c.fill == Fill::Nothing)),
            "not null" => {
                let replay = self.replay;
                self.about_with(|table| {
                    let names = replay.not_null_names.of_table(&table.name);
                    names.map(|(_, name)| name.clone()).collect()
                })
            }
            "unique index" => self.about_with(|table| {
                let free = table.indexes.iter().filter(|index| {
                    let mut constraints = table.constraints.iter();
                    index.unique && !constraints.any(|constraint| constraint.name == index.name)
                });
                free.map(|index| index.name.clone()).collect()
            }),
            other => panic!("no table has a {other}"),
        }
    }

    fn index(&mut self, is_key: Option<bool>) -> String {
        let names: Vec<Name> = self
            .relations(|_| true)
            .into_iter()
            .flat_map(|table| table.indexes.iter().map(move |index| (table, index)))
            .filter(|(table, index)| {
                let mut constraints = table.constraints.iter();
                let of_key = constraints.any(|constraint| constraint.name == index.name);
                is_key.is_none_or(|wanted| wanted == of_key)
            })
            .map(|(table, index)| Name {
                schema: table.name.schema.clone(),
                name: index.name.clone(),
            })
            .collect();
        self.named(&names)
    }

    fn named(&mut self, names: &[Name]) -> String {
        match self.one_of(names) {
            Some(name) => self.written(&name),
            None => "missing".to_owned(),
        }
    }

    #[expect(clippy::too_many_lines, reason = "one line for each hole")]
    fn hole(&mut self, hole: &str) -> String {
        use RelationKind as R;
        if let Some(kind) = hole.strip_prefix("table with ") {
            return self.names_of_table(kind);
        }
        match hole {
            "table" => self.about(&self.relations(is_table)),
            "plain" => self.about(&self.relations(|table| table.kind == R::Table)),
            "partitioned" => self.about(&self.relations(|table| table.partition_by.is_some())),
            "typed" => self.about(&self.relations(|table| table.of_type.is_some())),
            "relation" => self.about(&self.relations(|_| true)),
            "view" => self.about(&self.relations(|found| found.kind == R::View)),
            "materialized" => {
                self.about(&self.relations(|found| found.kind == R::MaterializedView))
            }
            // Its columns become the new table's.
            "model" => {
                let mut columns = self.columns.clone();
                let name = self.about(&self.relations(|_| true));
                columns.append(&mut self.columns);
                self.columns = columns;
                name
            }
            "parent" => {
                let mut columns = self.columns.clone();
                let name = self.about(&self.relations(|table| table.kind == R::Table));
                columns.append(&mut self.columns);
                self.columns = columns;
                name
            }
            "parent of partition" => {
                let pairs = self.pairs(|one, other| {
                    other.kind == R::Partition && other.parents.contains(&one.name)
                });
                self.about_pair(&pairs)
            }
            "child" => {
                let pairs = self
                    .pairs(|one, other| one.kind == R::Table && one.parents.contains(&other.name));
                self.about_pair(&pairs)
            }
            "ancestor" => {
                let pairs = self.pairs(|one, other| other.parents.contains(&one.name));
                self.about_pair(&pairs)
            }
            "alike" => {
                let pairs = self.pairs(|one, other| {
                    one.kind == R::Table && other.kind == R::Table && has_columns_of(one, other)
                });
                self.about_pair(&pairs)
            }
            "partitioned alike" => {
                let pairs = self.pairs(|one, other| {
                    one.partition_by.is_some()
                        && other.parents.is_empty()
                        && has_columns_of(one, other)
                        && has_columns_of(other, one)
                });
                self.about_pair(&pairs)
            }
            "as composite" => {
                let composites = self.types(|kind| matches!(kind, TypeKind::Composite { .. }));
                let tables = self.relations(|table| table.kind == R::Table);
                let pairs: Vec<_> = tables
                    .iter()
                    .flat_map(|table| composites.iter().map(move |found| (*table, *found)))
                    .filter(|(table, found)| {
                        let TypeKind::Composite { attributes } = &found.kind else {
                            return false;
                        };
                        let columns = table.columns.iter().map(|c| (&c.name, &c.data_type));
                        columns.eq(attributes.iter().map(|(name, data_type)| (name, data_type)))
                    })
                    .collect();
                match self.one_of(&pairs) {
                    Some((table, found)) => {
                        self.its = self.written(&found.name);
                        self.about(&[table])
                    }
                    None => "missing".to_owned(),
                }
            }
            "its" => self.its.clone(),
            "made type" => self.made_type.clone(),
            "columns of table" => {
                self.about(&self.relations(is_table));
                self.hole("columns")
            }
            "constraint" => {
                self.names_of_table("constraint");
                self.its.clone()
            }
            "check of domain" => {
                let domains = self.replay.catalog.types.values();
                let checks: Vec<(Name, String)> = domains
                    .filter_map(|found| match &found.kind {
                        TypeKind::Domain { checks, .. } => Some((&found.name, checks)),
                        _ => None,
                    })
                    .flat_map(|(name, checks)| {
                        let checks = checks.iter();
                        checks.map(|check| (name.clone(), quoted(&check.name)))
                    })
                    .collect();
                match self.one_of(&checks) {
                    Some((domain, check)) => {
                        self.made_type = self.written(&domain);
                        check
                    }
                    None => "missing".to_owned(),
                }
            }
            "its domain" => self.made_type.clone(),
            "its text" => literal(&self.its),
            "label text" => literal(&self.word(&["w", "z", "it's", "Ä", "y2", "x"])),
            "its parent" | "its table" | "its source" => {
                let about = self.table.map(|table| table.name.clone());
                about.map_or_else(|| "missing".to_owned(), |name| self.written(&name))
            }
            "columns" => {
                let columns = self.columns.iter().map(|column| quoted(&column.name));
                columns.collect::<Vec<_>>().join(", ")
            }
            "made" => self.made.clone(),
            "new table" => {
                self.columns.clear();
                self.made = self.new_relation(&TABLES);
                self.made.clone()
            }
            "new view" => {
                self.made = self.new_relation(&["v0", "v1", "v2", "V 3"]);
                self.made.clone()
            }
            "new sequence" => {
                self.made = self.new_relation(&["s0", "s1", "S 2", "t0_id_seq", "t1_a_seq"]);
                self.made.clone()
            }
            "new enum" => self.new_relation(&["e0", "e1", "E 2"]),
            "new domain" => self.new_relation(&["o0", "o1", "O 2"]),
            "new composite" => {
                self.columns.clear();
                self.made_type = self.new_relation(&["p0", "p1", "P 2"]);
                self.made_type.clone()
            }
            "new range" => self.new_relation(&["r0", "r1range"]),
            "free table" => quoted(&self.word(&TABLES)),
            "free view" => self.word(&["v0", "v1", "v2", "v3"]),
            "free type" => self.word(&["e0", "e1", "o0", "o1", "p0", "p1", "n0"]),
            "free sequence" => self.word(&["s0", "s1", "s2", "t0_id_seq"]),
            "name" => quoted(&self.word(&NAMES)),
            // Names that nothing else has: before PostgreSQL 18 they are not kept.
            "not null name" => self.word(&["n0", "n1", "n2", "n3"]),
            "column" => quoted(&self.column(|_| true).name),
            "number" => quoted(&self.column(Known::is_number).name),
            "text" => quoted(&self.column(Known::is_text).name),
            "new column" => self.new_column(),
            "type" => self.data_type(),
            "definition" => self.definition(),
            "default" => {
                let last = self.columns.last().cloned();
                last.map_or_else(|| "NULL".to_owned(), |last| self.default_of(&last))
            }
            "column and default" => {
                let column = self.column(|_| true);
                let default = self.default_of(&column);
                format!("{} SET DEFAULT {default}", quoted(&column.name))
            }
            "condition" => self.condition(),
            "key" => {
                let last = self.columns.last().cloned();
                last.map_or_else(|| "missing".to_owned(), |last| self.key_for(last.family()))
            }
            "foreign key" => {
                let column = self.column(|_| true);
                let key = self.key_for(column.family());
                format!("({}) REFERENCES {key}", quoted(&column.name))
            }
            "bound" => self.bound(),
            "index" => self.index(None),
            "plain index" => self.index(Some(false)),
            "key index" => self.index(Some(true)),
            "enum" => self.type_of(|kind| matches!(kind, TypeKind::Enum { .. })),
            "domain" => self.type_of(|kind| matches!(kind, TypeKind::Domain { .. })),
            "composite" => self.type_of(|kind| matches!(kind, TypeKind::Composite { .. })),
            "range" => self.type_of(|kind| matches!(kind, TypeKind::Range { .. })),
            "sequence" => {
                let names: Vec<Name> = self.replay.catalog.sequences.keys().cloned().collect();
                self.named(&names)
            }
            "free to give" => {
                let sequences = self.replay.catalog.sequences.values();
                let names: Vec<Name> = sequences
                    .filter(|sequence| !sequence.identity)
                    .map(|sequence| sequence.name.clone())
                    .collect();
                self.named(&names)
            }
            "schema" => {
                let schemas: Vec<String> = self.replay.schemas.iter().cloned().collect();
                quoted(&self.one_of(&schemas).unwrap_or_default())
            }
            "own schema" => {
                let schemas = self.replay.schemas.iter();
                let own: Vec<String> = schemas.filter(|name| *name != PUBLIC).cloned().collect();
                quoted(&self.one_of(&own).unwrap_or_else(|| "missing".to_owned()))
            }
            "new schema" => self.word(&["z1", "z2", "\"Z 3\""]),
            "cascade" => self.word(&["", "", "RESTRICT", "CASCADE", "CASCADE"]),
            "only" => self.word(&["", "", "", "ONLY "]),
            "if exists" => self.word(&["", "", "IF EXISTS "]),
            "action" => self.word(&[
                "",
                "",
                "ON DELETE CASCADE",
                "ON DELETE SET NULL ON UPDATE RESTRICT",
                "ON UPDATE SET DEFAULT",
                "MATCH FULL",
                "DEFERRABLE",
                "DEFERRABLE INITIALLY DEFERRED",
            ]),
            "words" => self.word(&["'a note'", "'it''s'", "E'two\\nlines'", "NULL", "'ü'"]),
            "n" => self.pick(20).to_string(),
            other => panic!("there is no hole {other}"),
        }
    }
}

fn is_table(relation: &Relation) -> bool {
    !matches!(
        relation.kind,
        RelationKind::View | RelationKind::MaterializedView
    )
}

fn has_columns_of(one: &Relation, other: &Relation) -> bool {
    other.columns.iter().all(|wanted| {
        let mut columns = one.columns.iter();
        columns.any(|column| column.name == wanted.name && column.data_type == wanted.data_type)
    })
}

/// What a quoted name means.
fn identifier_of(written: &str) -> String {
    tree::identifier(written)
}
