//! Random items of FROM, and joins of them.

use super::expression::{Item, Writer};
use super::query_names::Relation;
use super::values::any_type;

impl Writer<'_> {
    /// Writes the items after FROM, and adds them to the innermost scope.
    pub(super) fn from(&mut self) -> String {
        let mut sql = self.item(false);
        let joins = *self.choices.of(&[0, 0, 1, 1, 2, 3]);
        for _ in 0..joins {
            if self.is_enough() {
                break;
            }
            sql = self.join(sql);
        }
        sql
    }

    fn add(&mut self, item: Item) {
        if let Some(scope) = self.scopes.last_mut() {
            scope.push(item);
        }
    }

    fn join(&mut self, left: String) -> String {
        let kind = self.choices.pick(14);
        let before = self.scopes.last().cloned().unwrap_or_default();
        if kind == 13 {
            let right = self.item(true);
            return format!("{left}, {right}");
        }
        if kind == 12 {
            let right = self.item(true);
            return format!("{left} CROSS JOIN {right}");
        }
        let word = ["JOIN", "LEFT JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"][kind % 5];
        let can_be_lateral = kind % 5 < 3;
        let right = self.item(can_be_lateral);
        if kind == 11 {
            return format!("{left} NATURAL {word} {right}");
        }
        let last = self.scopes.last().and_then(|scope| scope.last()).cloned();
        let names = |item: &Item| -> Vec<String> {
            item.columns.iter().map(|(name, _)| name.clone()).collect()
        };
        let others: Vec<String> = before.iter().flat_map(names).collect();
        let common: Vec<String> = last
            .iter()
            .flat_map(names)
            .filter(|name| others.iter().filter(|other| *other == name).count() == 1)
            .collect();
        if kind >= 8 && !common.is_empty() {
            let by = self.choices.of(&common).clone();
            let alias = if self.choices.chance(10) {
                format!(" AS {}", self.name('j'))
            } else {
                String::new()
            };
            return format!("{left} {word} {right} USING ({by}){alias}");
        }
        if self.choices.pick(3) < 2 && !common.is_empty() && !before.is_empty() {
            let name = self.choices.of(&common).clone();
            let of = |items: &[Item]| {
                let has = |item: &&Item| item.columns.iter().any(|(column, _)| *column == name);
                items.iter().find(has).map(|item| item.alias.clone())
            };
            let right_item: Vec<Item> = last.into_iter().collect();
            if let (Some(one), Some(other)) = (of(&before), of(&right_item)) {
                return format!("{left} {word} {right} ON {one}.{name} = {other}.{name}");
            }
        }
        format!("{left} {word} {right} ON {}", self.condition())
    }

    /// Writes one item. A lateral one can use the items before it.
    fn item(&mut self, can_be_lateral: bool) -> String {
        let kind = if self.is_enough() {
            0
        } else {
            self.choices.pick(16)
        };
        match kind {
            11 | 12 => self.derived(can_be_lateral),
            13 => self.function(can_be_lateral),
            14 => self.values_item(),
            10 if !self.with.is_empty() => {
                let with = self.with.clone();
                let item = self.choices.of(&with).clone();
                let alias = self.name('t');
                self.add(Item {
                    alias: alias.clone(),
                    columns: item.columns,
                });
                format!("{} {alias}", item.alias)
            }
            _ => self.table(),
        }
    }

    pub(super) fn table(&mut self) -> String {
        let world = self.world;
        let relation = self.choices.of(&world.relations);
        let alias = self.name('t');
        self.add(Item {
            alias: alias.clone(),
            columns: columns(relation),
        });
        let only = if relation.is_table && self.choices.pick(20) == 19 {
            "ONLY "
        } else {
            ""
        };
        format!("{only}{} {alias}", relation.name)
    }

    fn derived(&mut self, can_be_lateral: bool) -> String {
        let is_lateral = can_be_lateral && self.choices.chance(40);
        let (query, columns) = if is_lateral {
            self.query(None, true)
        } else {
            self.independent(true)
        };
        let alias = self.name('s');
        self.add(Item {
            alias: alias.clone(),
            columns,
        });
        let word = if is_lateral { "LATERAL " } else { "" };
        format!("{word}({query}) {alias}")
    }

    fn values_item(&mut self) -> String {
        let kinds = [self.kind(), self.kind()];
        let visible = std::mem::replace(&mut self.visible, self.scopes.len());
        let rows: Vec<String> = (0..2)
            .map(|_| {
                let row: Vec<String> = kinds.iter().map(|kind| self.typed(kind, 1)).collect();
                format!("({})", row.join(", "))
            })
            .collect();
        self.visible = visible;
        let alias = self.name('v');
        let columns = ["p", "q"]
            .map(str::to_owned)
            .into_iter()
            .zip(kinds)
            .collect();
        self.add(Item {
            alias: alias.clone(),
            columns,
        });
        format!("(VALUES {}) {alias} (p, q)", rows.join(", "))
    }

    fn function(&mut self, can_be_lateral: bool) -> String {
        let element = any_type(&mut self.choices)
            .trim_end_matches("[]")
            .to_owned();
        let array = format!("{element}[]");
        let visible = self.visible;
        if !can_be_lateral {
            self.visible = self.scopes.len();
        }
        let alias = self.name('f');
        let column = |name: &str, kind: &str| (name.to_owned(), kind.to_owned());
        let (sql, columns) = match self.choices.pick(10) {
            0 => {
                let array = self.typed(&array, 1);
                (
                    format!("unnest({array}) AS {alias} (u)"),
                    vec![column("u", &element)],
                )
            }
            1 => {
                let array = self.typed(&array, 1);
                (
                    format!("unnest({array}) WITH ORDINALITY AS {alias} (u, n)"),
                    vec![column("u", &element), column("n", "int8")],
                )
            }
            2 => {
                let (first, last) = (self.typed("int4", 1), self.typed("int4", 1));
                (
                    format!("generate_series({first}, {last}) AS {alias} (g)"),
                    vec![column("g", "int4")],
                )
            }
            3 => {
                let from = self.typed("timestamptz", 1);
                (
                    format!("generate_series({from}, now(), '1 day') AS {alias} (g)"),
                    vec![column("g", "timestamptz")],
                )
            }
            4 => {
                let doc = self.typed("jsonb", 1);
                (
                    format!("jsonb_each({doc}) {alias}"),
                    vec![column("key", "text"), column("value", "jsonb")],
                )
            }
            5 => {
                let doc = self.typed("jsonb", 1);
                (
                    format!("jsonb_to_recordset({doc}) AS {alias} (a int, b text)"),
                    vec![column("a", "int4"), column("b", "text")],
                )
            }
            6 => {
                let count = self.typed("int4", 1);
                (
                    format!("rows_of({count}) {alias}"),
                    vec![column("id", "int4"), column("name", "text")],
                )
            }
            7 => {
                let count = self.typed("int4", 1);
                (
                    format!("numbers({count}) {alias}"),
                    vec![column(&alias.clone(), "int4")],
                )
            }
            8 => {
                let (first, second) = (self.typed(&array, 1), self.typed("text[]", 1));
                (
                    format!("unnest({first}, {second}) AS {alias} (u, v)"),
                    vec![column("u", &element), column("v", "text")],
                )
            }
            _ => {
                let (array, count) = (self.typed(&array, 1), self.typed("int4", 1));
                (
                    format!(
                        "ROWS FROM (unnest({array}), rows_of({count})) WITH ORDINALITY AS {alias} (u, i, v, n)"
                    ),
                    vec![
                        column("u", &element),
                        column("i", "int4"),
                        column("v", "text"),
                        column("n", "int8"),
                    ],
                )
            }
        };
        self.visible = visible;
        self.add(Item { alias, columns });
        sql
    }
}

/// Returns the names and types of a relation's columns.
pub(super) fn columns(relation: &Relation) -> Vec<(String, String)> {
    let columns = relation.columns.iter();
    columns
        .map(|column| (column.name.clone(), column.kind.clone()))
        .collect()
}
