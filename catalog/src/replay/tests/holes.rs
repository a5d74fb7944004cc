//! Fills the holes of a template with objects of the current catalog, so that most statements are
//! valid.
//!
//! This code contains none of PostgreSQL's rules. A choice that seldom fits only makes histories
//! shorter.

mod choices;
mod expressions;
mod names;

use super::super::state::{PUBLIC, State};
use crate::definition::{literal, quoted};
use crate::{Fill, Name, Relation, RelationKind, TypeKind};
use choices::has_columns_of;
use expressions::Known;
use names::{NAMES, TABLES};

/// Fills the holes of one template.
struct Filler<'a> {
    state: &'a State,
    version: u32,
    picks: std::iter::Cycle<std::slice::Iter<'a, u8>>,
    turn: usize,
    /// The columns of the table that the statement is about.
    columns: Vec<Known>,
    table: Option<&'a Relation>,
    /// The text that `{its}` stands for.
    its: String,
    made: String,
    made_type: String,
}

/// Returns the statements of a template, which semicolons separate.
pub(super) fn fill(template: &str, picks: &[u8], state: &State, version: u32) -> String {
    let mut filler = Filler {
        state,
        version,
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
            "foreign" => self.about(&self.relations(|table| table.kind == R::ForeignTable)),
            "typed" => self.about(&self.relations(|table| table.of_type.is_some())),
            "relation" => self.about(&self.relations(|_| true)),
            "view" => self.about(&self.relations(|found| found.kind == R::View)),
            "materialized" => {
                self.about(&self.relations(|found| found.kind == R::MaterializedView))
            }
            // The new table gets its columns.
            "model" => {
                let mut columns = self.columns.clone();
                // Replay follows PostgreSQL 17 and later, where a partition shares the identity of
                // its parent.
                let is_shared = self.version >= 17;
                let is_alike = |one: &Relation| {
                    let mut columns = one.columns.iter();
                    let shares = columns.any(|column| matches!(column.fill, Fill::Identity { .. }));
                    is_shared || one.kind != R::Partition || !shares
                };
                let name = self.about(&self.relations(is_alike));
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
                        columns.eq(attributes
                            .iter()
                            .map(|attribute| (&attribute.name, &attribute.data_type)))
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
                let domains = self.state.catalog().types.values();
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
            "new enum" => {
                self.made_type = self.new_relation(&["e0", "e1", "E 2"]);
                self.made_type.clone()
            }
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
            "new function" => self.new_relation(&["f0", "f1", "f2", "F 3", "order"]),
            "free function" => self.word(&["f0", "f1", "\"F 3\"", "z1.f0"]),
            "trigger name" => self.word(&["g0", "g1", "\"G 2\"", "\"user\""]),
            "policy name" => self.word(&["q0", "own", "\"Q 2\"", "\"table\""]),
            "trigger" | "policy" | "rule" => {
                self.names_of_table(hole);
                self.its.clone()
            }
            "function" | "trigger function" => {
                let forms = self.state.functions().values().flatten();
                let is_trigger = hole == "trigger function";
                let forms: Vec<_> = forms
                    .filter(|form| !is_trigger || form.is_of_trigger)
                    .map(|form| {
                        let types = form.argument_types.iter();
                        let types: Vec<String> =
                            types.map(|one| one.of_signature().sql()).collect();
                        (form.name.clone(), types.join(", "))
                    })
                    .collect();
                match self.one_of(&forms) {
                    Some((name, _)) if is_trigger => self.written(&name),
                    Some((name, types)) => format!("{}({types})", self.written(&name)),
                    None => "missing".to_owned(),
                }
            }
            // These names are used for nothing else. PostgreSQL does not keep them before version
            // 18.
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
                let names: Vec<Name> = self.state.catalog().sequences.keys().cloned().collect();
                self.named(&names)
            }
            "free to give" => {
                let sequences = self.state.catalog().sequences.values();
                let names: Vec<Name> = sequences
                    .filter(|sequence| !sequence.identity)
                    .map(|sequence| sequence.name.clone())
                    .collect();
                self.named(&names)
            }
            "schema" => {
                let schemas: Vec<String> = self.state.schemas().iter().cloned().collect();
                self.made_type = quoted(&self.one_of(&schemas).unwrap_or_default());
                self.made_type.clone()
            }
            "its schema" => self.made_type.clone(),
            "own schema" => {
                let schemas = self.state.schemas().iter();
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
