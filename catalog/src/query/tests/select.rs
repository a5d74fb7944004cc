//! Random queries.

use super::expression::{Allowed, Item, Writer};
use super::values::sql_type;

impl Writer<'_> {
    /// Writes a subquery that can use the columns of the queries around it.
    pub(super) fn subquery(&mut self, kinds: Option<&[String]>) -> String {
        if self.is_enough() {
            let kinds = kinds.unwrap_or_default();
            let nulls = kinds.iter().map(|kind| format!("NULL::{}", sql_type(kind)));
            let list: Vec<String> = nulls.collect();
            return format!("SELECT {}", list.join(", "));
        }
        self.query(kinds, false).0
    }

    /// Writes a query that cannot use the columns of the queries around it.
    pub(super) fn independent(&mut self, is_named: bool) -> (String, Vec<(String, String)>) {
        let visible = std::mem::replace(&mut self.visible, self.scopes.len());
        let written = self.query(None, is_named);
        self.visible = visible;
        written
    }

    /// Writes a query. Returns the names and types of its columns, if each gets a name.
    pub(super) fn query(
        &mut self,
        kinds: Option<&[String]>,
        is_named: bool,
    ) -> (String, Vec<(String, String)>) {
        self.nesting += 1;
        let allowed = std::mem::take(&mut self.allowed);
        let with = self.with.len();
        let mut sql = String::new();
        if self.choices.chance(10) && !self.is_enough() {
            sql += &self.with_queries();
        }
        // The type of a column without a name is chosen after the items of FROM are known.
        let mut kinds = match kinds {
            Some(kinds) => kinds.to_vec(),
            None => vec![String::new(); 1 + self.choices.pick(4)],
        };
        let names: Vec<String> = kinds.iter().map(|_| self.name('c')).collect();
        let named = is_named.then_some(names.as_slice());
        let is_exact = is_named || self.nesting > 1;
        match self.choices.pick(16) {
            14 if !self.is_enough() => {
                let first = self.select(&mut kinds, named, true);
                let word =
                    *self
                        .choices
                        .of(&["UNION ALL", "UNION", "INTERSECT", "EXCEPT", "EXCEPT ALL"]);
                let second = self.select(&mut kinds, None, true);
                let part = |sql: String| {
                    if sql.contains(" ORDER BY ") {
                        format!("({sql})")
                    } else {
                        sql
                    }
                };
                sql += &format!("{} {word} {}", part(first), part(second));
                if self.choices.chance(30) {
                    sql += " ORDER BY 1";
                }
                if self.choices.chance(20) {
                    sql += &self.limit();
                }
            }
            15 if !is_named => sql += &self.values(&kinds),
            _ => sql += &self.select(&mut kinds, named, is_exact),
        }
        self.with.truncate(with);
        self.allowed = allowed;
        self.nesting -= 1;
        (sql, names.iter().cloned().zip(kinds).collect())
    }

    fn values(&mut self, kinds: &[String]) -> String {
        let rows = 1 + self.choices.pick(2);
        let rows = (0..rows).map(|_| {
            let row = kinds.iter().map(|kind| match kind.as_str() {
                "" => self.expression("int4", 1),
                kind => self.expression(kind, 1),
            });
            let row: Vec<String> = row.collect();
            format!("({})", row.join(", "))
        });
        let rows: Vec<String> = rows.collect();
        format!("VALUES {}", rows.join(", "))
    }

    fn limit(&mut self) -> String {
        let count = if self.choices.chance(50) {
            "2".to_owned()
        } else {
            self.parameter("int8")
        };
        match self.choices.pick(4) {
            0 => " LIMIT 1".to_owned(),
            1 => format!(" LIMIT {count}"),
            2 => format!(" LIMIT {count} OFFSET {}", self.parameter("int8")),
            _ => " FETCH FIRST ROW ONLY".to_owned(),
        }
    }

    /// Writes a SELECT. If its columns need not be exact, they can include `*`.
    fn select(&mut self, kinds: &mut [String], names: Option<&[String]>, is_exact: bool) -> String {
        self.scopes.push(Vec::new());
        let from = if self.choices.pick(12) == 11 {
            String::new()
        } else {
            format!(" FROM {}", self.from())
        };
        let mut tail = String::new();
        if self.choices.chance(60) {
            tail += &format!(" WHERE {}", self.condition());
        }
        let shape = self.choices.pick(10);
        let is_grouped = shape == 7 || shape == 8;
        if is_grouped {
            tail += &self.group();
        }
        self.allowed.windows = shape != 9;
        self.allowed.aggregates = is_grouped || shape == 9;
        if shape == 9 {
            self.allowed.grouped = Some(Vec::new());
        }
        let window = self.allowed.windows && self.choices.chance(15);
        let mut list = Vec::new();
        for (number, kind) in kinds.iter_mut().enumerate() {
            if kind.is_empty() {
                *kind = self.kind();
            }
            let star = !is_exact && self.allowed.grouped.is_none() && self.choices.pick(10) == 9;
            if star {
                list.push(self.star());
                continue;
            }
            let written = if is_exact && self.choices.pick(8) < 7 {
                self.typed(kind, 3)
            } else {
                self.expression(kind, 3)
            };
            let name = match names {
                Some(names) => format!(" AS {}", names[number]),
                None if self.choices.chance(15) => {
                    (*self
                        .choices
                        .of(&[" AS id", " AS \"Total!\"", " x", " AS \"select\""]))
                    .to_owned()
                }
                None => String::new(),
            };
            list.push(written + &name);
        }
        let mut list = list.join(", ");
        if window || list.contains(" OVER w") {
            let by = self.comparable();
            let inside = Allowed {
                windows: false,
                ..self.allowed.clone()
            };
            let outside = std::mem::replace(&mut self.allowed, inside);
            let order = self.typed(&by, 1);
            self.allowed = outside;
            tail += &format!(" WINDOW w AS (PARTITION BY {order} ORDER BY {order})");
        }
        if is_grouped || self.allowed.aggregates {
            // HAVING comes before WINDOW.
            if self.choices.chance(20) && !tail.contains(" WINDOW ") {
                let windows = std::mem::take(&mut self.allowed.windows);
                tail += &format!(" HAVING {}", self.expression("bool", 2));
                self.allowed.windows = windows;
            }
        }
        let mut order = String::new();
        let mut can_lock = !is_grouped && !self.allowed.aggregates && !list.contains(" OVER ");
        match self.choices.pick(12) {
            9 => {
                list = format!("DISTINCT {list}");
                can_lock = false;
            }
            10 => {
                let by = self.comparable();
                let by = self.typed(&by, 1);
                list = format!("DISTINCT ON ({by}) {list}");
                order = format!(" ORDER BY {by}");
                can_lock = false;
            }
            11 => {
                let by = self.comparable();
                let by = self.typed(&by, 1);
                let way = *self.choices.of(&["", " DESC", " NULLS FIRST"]);
                order = format!(" ORDER BY {by}{way}, 1");
            }
            _ => {}
        }
        tail += &order;
        let is_part = names.is_some() || is_exact;
        if self.choices.chance(15) && !is_part
            || self.choices.chance(5) && order.is_empty() && !is_part
        {
            tail += &self.limit();
        }
        if can_lock && !is_exact && !from.is_empty() && self.choices.chance(6) {
            tail += *self.choices.of(&[
                " FOR UPDATE",
                " FOR SHARE SKIP LOCKED",
                " FOR NO KEY UPDATE NOWAIT",
            ]);
        }
        self.allowed = Allowed::default();
        self.scopes.pop();
        format!("SELECT {list}{from}{tail}")
    }

    /// Writes `*`, one item's `*`, or a whole row.
    pub(super) fn star(&mut self) -> String {
        let items: Vec<Item> = self.scopes.last().cloned().unwrap_or_default();
        if items.is_empty() {
            return "1".to_owned();
        }
        let alias = self.choices.of(&items).alias.clone();
        match self.choices.pick(4) {
            0 => "*".to_owned(),
            1 | 2 => format!("{alias}.*"),
            _ => alias,
        }
    }

    /// Writes GROUP BY, and restricts what can be written after it.
    fn group(&mut self) -> String {
        let mut grouped = Vec::new();
        for item in self.scopes.last().cloned().unwrap_or_default() {
            let mut columns = self.choices.some(&item.columns, 25);
            columns.retain(|(_, kind)| kind != "json");
            grouped.extend(
                columns
                    .into_iter()
                    .map(|(name, kind)| (format!("{}.{name}", item.alias), kind)),
            );
        }
        grouped.truncate(3);
        let mut list: Vec<String> = grouped.iter().map(|(sql, _)| sql.clone()).collect();
        if list.is_empty() {
            list.push("()".to_owned());
        }
        let first = list[0].clone();
        let list = list.join(", ");
        self.allowed.grouped = Some(grouped);
        match self.choices.pick(8) {
            5 if first != "()" => format!(" GROUP BY ROLLUP ({list})"),
            6 if first != "()" => format!(" GROUP BY GROUPING SETS (({list}), ({first}), ())"),
            7 if first != "()" => format!(" GROUP BY CUBE ({list})"),
            _ => format!(" GROUP BY {list}"),
        }
    }

    /// Writes WITH, and adds its queries to the scope.
    pub(super) fn with_queries(&mut self) -> String {
        let name = self.name('w');
        if self.choices.chance(25) {
            let kind = self.kind();
            let first = self.expression(&kind, 1);
            self.with.push(Item {
                alias: name.clone(),
                columns: vec![
                    ("n".to_owned(), "int4".to_owned()),
                    ("v".to_owned(), kind.clone()),
                ],
            });
            let word = *self.choices.of(&["UNION ALL", "UNION"]);
            return format!(
                "WITH RECURSIVE {name} (n, v) AS (SELECT 1, {first} {word} SELECT n + 1, v FROM {name} WHERE n < 3) "
            );
        }
        let (query, columns) = self.independent(true);
        let kept = *self
            .choices
            .of(&["", "", "MATERIALIZED ", "NOT MATERIALIZED "]);
        let renamed = self.choices.chance(20);
        let list = if renamed {
            let names: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
            format!(" ({})", names.join(", "))
        } else {
            String::new()
        };
        self.with.push(Item {
            alias: name.clone(),
            columns,
        });
        format!("WITH {name}{list} AS {kept}({query}) ")
    }
}
