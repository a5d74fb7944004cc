//! Random statements: queries, INSERT, UPDATE, DELETE, MERGE, CALL.

use super::choices::Choices;
use super::expression::{Item, Writer};
use super::from::columns;
use super::query_names::{Column, QueryNames, Relation};

/// Returns the text of a random statement.
pub(super) fn statement(world: &QueryNames, choices: &[u16]) -> String {
    let mut writer = Writer::new(world, Choices::new(choices));
    match writer.choices.pick(40) {
        0..=24 => writer.query(None, false).0,
        25..=29 => writer.insert(true),
        30..=33 => writer.update(),
        34..=36 => writer.delete(),
        37 => writer.merge(),
        38 => writer.write_in_with(),
        _ => format!(
            "CALL work({}, {})",
            writer.parameter("int4"),
            writer.expression("text", 1)
        ),
    }
}

impl Writer<'_> {
    fn target(&mut self) -> Relation {
        let world = self.world;
        let tables: Vec<&Relation> = world
            .relations
            .iter()
            .filter(|relation| relation.is_table)
            .collect();
        if self.choices.pick(30) == 29 {
            return self.choices.of(&world.relations).clone();
        }
        (*self.choices.of(&tables)).clone()
    }

    /// Writes RETURNING, for a table and the other names in the scope.
    fn returning(&mut self) -> String {
        if !self.choices.chance(70) {
            return String::new();
        }
        let count = 1 + self.choices.pick(3);
        let list: Vec<String> = (0..count)
            .map(|_| {
                if self.choices.pick(3) == 0 {
                    return self.star();
                }
                let kind = self.kind();
                let written = self.expression(&kind, 2);
                let is_new = self.world.version >= 18 && self.choices.pick(6) == 5;
                if is_new {
                    return (*self.choices.of(&["old.id", "new.*", "old"])).to_owned();
                }
                written
            })
            .collect();
        format!(" RETURNING {}", list.join(", "))
    }

    fn insert(&mut self, can_return: bool) -> String {
        let target = self.target();
        let mut with = String::new();
        if self.choices.chance(10) {
            with = self.with_queries();
        }
        if self.choices.pick(15) == 14 {
            self.scopes.push(vec![item(&target.name, &target)]);
            let returning = if can_return {
                self.returning()
            } else {
                String::new()
            };
            self.scopes.pop();
            return format!(
                "{with}INSERT INTO {} DEFAULT VALUES{returning}",
                target.name
            );
        }
        let noise = self.choices.pick(25) == 24;
        let mut chosen: Vec<Column> = Vec::new();
        for column in &target.columns {
            let is_needed = column.not_null && !column.has_default;
            if noise || column.is_written && (is_needed || self.choices.chance(50)) {
                chosen.push(column.clone());
            }
        }
        if chosen.is_empty() {
            chosen.extend(target.columns.first().cloned());
        }
        let names: Vec<&str> = chosen.iter().map(|column| column.name.as_str()).collect();
        let kinds: Vec<String> = chosen.iter().map(|column| column.kind.clone()).collect();
        let overriding = *self
            .choices
            .of(&["", "", "", "", "", "", " OVERRIDING SYSTEM VALUE"]);
        let source = match self.choices.pick(5) {
            4 => self.query(Some(&kinds), false).0,
            3 if !kinds
                .iter()
                .any(|kind| kind.ends_with("[]") || kind == "tags") =>
            {
                // SELECT over arrays, a row each.
                let list: Vec<String> = kinds
                    .iter()
                    .map(|kind| {
                        let array = format!("{}[]", kind.trim_end_matches("[]"));
                        let parameter = self.parameter(&array);
                        format!("{parameter}::{}", super::values::sql_type(&array))
                    })
                    .collect();
                format!("SELECT * FROM unnest({})", list.join(", "))
            }
            _ => {
                let rows = 1 + self.choices.pick(2);
                let rows: Vec<String> = (0..rows)
                    .map(|_| {
                        let row: Vec<String> = chosen
                            .iter()
                            .map(|column| match self.choices.pick(12) {
                                11 if column.has_default => "DEFAULT".to_owned(),
                                0..=5 => self.parameter(&column.kind),
                                _ => self.expression(&column.kind, 2),
                            })
                            .collect();
                        format!("({})", row.join(", "))
                    })
                    .collect();
                format!("VALUES {}", rows.join(", "))
            }
        };
        self.scopes.push(vec![item(&target.name, &target)]);
        let conflict = self.conflict(&target);
        let returning = if can_return {
            self.returning()
        } else {
            String::new()
        };
        self.scopes.pop();
        format!(
            "{with}INSERT INTO {} ({}){overriding} {source}{conflict}{returning}",
            target.name,
            names.join(", ")
        )
    }

    fn conflict(&mut self, target: &Relation) -> String {
        if !self.choices.chance(30) {
            return String::new();
        }
        if target.keys.is_empty() || self.choices.pick(4) == 3 {
            return " ON CONFLICT DO NOTHING".to_owned();
        }
        let key = self.choices.of(&target.keys).join(", ");
        if self.choices.pick(4) == 3 {
            return format!(" ON CONFLICT ({key}) DO NOTHING");
        }
        if let Some(scope) = self.scopes.last_mut() {
            scope.push(item("excluded", target));
        }
        let set = self.assignments(target);
        let condition = if self.choices.chance(20) {
            format!(" WHERE {}", self.condition())
        } else {
            String::new()
        };
        if let Some(scope) = self.scopes.last_mut() {
            scope.pop();
        }
        format!(" ON CONFLICT ({key}) DO UPDATE SET {set}{condition}")
    }

    /// Writes the assignments after SET.
    fn assignments(&mut self, target: &Relation) -> String {
        let noise = self.choices.pick(40) == 39;
        let can_be_set = |column: &&Column| column.is_written || noise;
        let columns: Vec<Column> = target.columns.iter().filter(can_be_set).cloned().collect();
        if columns.is_empty() {
            return "id = DEFAULT".to_owned();
        }
        let first = self.choices.pick(columns.len());
        let (one, other) = (&columns[first], &columns[(first + 1) % columns.len()]);
        let can_be_two = one.name != other.name;
        match self.choices.pick(10) {
            5 if can_be_two => format!(
                "{} = {}, {} = {}",
                one.name,
                self.expression(&one.kind, 2),
                other.name,
                self.expression(&other.kind, 2)
            ),
            6 if can_be_two => format!(
                "({}, {}) = ({}, {})",
                one.name,
                other.name,
                self.expression(&one.kind, 2),
                self.expression(&other.kind, 1)
            ),
            7 if can_be_two => {
                let query = self.subquery(Some(&[one.kind.clone(), other.kind.clone()]));
                format!("({}, {}) = ({query})", one.name, other.name)
            }
            8 => format!("{} = DEFAULT", one.name),
            9 => match one.kind.strip_suffix("[]") {
                Some(element) => format!("{}[1] = {}", one.name, self.expression(element, 1)),
                None if one.kind == "pair" => {
                    format!("{}.x = {}", one.name, self.expression("int4", 1))
                }
                None if one.kind == "jsonb" => {
                    format!("{}['a'] = {}", one.name, self.expression("jsonb", 1))
                }
                None => format!("{} = {}", one.name, self.parameter(&one.kind)),
            },
            _ => format!("{} = {}", one.name, self.expression(&one.kind, 2)),
        }
    }

    fn update(&mut self) -> String {
        let target = self.target();
        let alias = self.name('t');
        self.scopes.push(vec![item(&alias, &target)]);
        let from = if self.choices.chance(30) {
            // The target is not part of FROM.
            let target = self.scopes.pop().unwrap_or_default();
            self.scopes.push(Vec::new());
            let from = self.from();
            if let Some(scope) = self.scopes.last_mut() {
                scope.extend(target);
            }
            format!(" FROM {from}")
        } else {
            String::new()
        };
        let set = self.assignments(&target);
        let condition = self.where_clause();
        let returning = self.returning();
        self.scopes.pop();
        format!(
            "UPDATE {} {alias} SET {set}{from}{condition}{returning}",
            target.name
        )
    }

    fn where_clause(&mut self) -> String {
        if self.choices.chance(80) {
            return format!(" WHERE {}", self.condition());
        }
        String::new()
    }

    fn delete(&mut self) -> String {
        let target = self.target();
        let alias = self.name('t');
        self.scopes.push(Vec::new());
        let using = if self.choices.chance(30) {
            format!(" USING {}", self.from())
        } else {
            String::new()
        };
        if let Some(scope) = self.scopes.last_mut() {
            scope.push(item(&alias, &target));
        }
        let condition = self.where_clause();
        let returning = self.returning();
        self.scopes.pop();
        format!(
            "DELETE FROM {} {alias}{using}{condition}{returning}",
            target.name
        )
    }

    fn merge(&mut self) -> String {
        let target = self.target();
        let alias = self.name('t');
        self.scopes.push(Vec::new());
        let source = self.from();
        let sources = self.scopes.last().cloned().unwrap_or_default();
        if let Some(scope) = self.scopes.last_mut() {
            scope.push(item(&alias, &target));
        }
        let on = self.condition();
        let set = self.assignments(&target);
        let matched = *self.choices.of(&["UPDATE", "DELETE", "DO NOTHING"]);
        let matched = if matched == "UPDATE" {
            format!("UPDATE SET {set}")
        } else {
            matched.to_owned()
        };
        let both = std::mem::replace(&mut self.scopes, vec![sources]);
        let written: Vec<Column> = target
            .columns
            .iter()
            .filter(|column| column.is_written)
            .cloned()
            .collect();
        let names: Vec<&str> = written.iter().map(|column| column.name.as_str()).collect();
        let values: Vec<String> = written
            .iter()
            .map(|column| self.expression(&column.kind, 1))
            .collect();
        self.scopes = both;
        let returning = if self.world.version >= 17 {
            self.returning()
        } else {
            String::new()
        };
        self.scopes.pop();
        let insert = format!(
            "INSERT ({}) VALUES ({})",
            names.join(", "),
            values.join(", ")
        );
        format!(
            "MERGE INTO {} {alias} USING {source} ON {on} WHEN MATCHED THEN {matched} \
             WHEN NOT MATCHED THEN {insert}{returning}",
            target.name
        )
    }

    /// Writes a query over the rows that a statement in WITH returns.
    fn write_in_with(&mut self) -> String {
        let target = self.target();
        let name = self.name('w');
        let kind = self.kind();
        self.scopes.push(vec![item(&target.name, &target)]);
        let value = self.expression(&kind, 1);
        let condition = self.where_clause();
        self.scopes.pop();
        let mut returned = columns(&target);
        returned.push(("extra".to_owned(), kind));
        self.with.push(Item {
            alias: name.clone(),
            columns: returned,
        });
        let query = match self.choices.pick(4) {
            0 => self.insert(false),
            _ => self.query(None, false).0,
        };
        // The query must not have another WITH.
        if query.starts_with("WITH ") {
            return query;
        }
        format!(
            "WITH {name} AS (DELETE FROM {}{condition} RETURNING *, {value} AS extra) {query}",
            target.name
        )
    }
}

fn item(alias: &str, relation: &Relation) -> Item {
    Item {
        alias: alias.to_owned(),
        columns: columns(relation),
    }
}
