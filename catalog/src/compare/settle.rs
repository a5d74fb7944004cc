//! What a server says of texts that differ: it reads both, and writes both back in its own words.
//!
//! Each text is put into something temporary within a transaction that is rolled back, so nothing stays. Where that
//! is not allowed, or one of the texts cannot be read there, the texts are compared as they are.

use std::collections::BTreeSet;

use super::{Difference, How, Subject, compare};
use crate::attached::Code;
use crate::definition::quoted;
use crate::routine::{Body, Routine};
use crate::{
    Catalog, ConstraintKind, DataType, Fill, IndexKey, Name, Relation, RelationKind, TypeKind,
};

/// What two catalogs do not have in common, and what of it could not be told.
#[derive(Debug, Default)]
pub struct Comparison {
    /// Everything that is known to differ.
    pub differences: Vec<Difference>,
    /// Subjects and aspects in words.
    pub not_compared: Vec<String>,
}

/// Pairs of texts that a server has called the same.
#[derive(Debug, Default)]
pub struct Settled(BTreeSet<(String, String)>);

/// A server that a comparison may ask.
pub trait Server {
    /// Returns the major version of the server, such as 15.
    fn major_version(&self) -> i32;

    /// Runs the statements, then the query, and rolls both back.
    ///
    /// Returns the column `text` of the one row that the query gives; `None` if the server refuses any of it.
    fn probe(&mut self, statements: &str, query: &str) -> Option<String>;
}

/// Compares two catalogs. The server that has one of them, if there is one, reads the texts that differ.
pub fn judged(
    left: &Catalog,
    right: &Catalog,
    server: Option<&mut dyn Server>,
    settled: &mut Settled,
) -> Comparison {
    let mut found = compare(left, right);
    if let Some(server) = server {
        let version = server.major_version();
        found.retain(|difference| !is_of_version(difference, left, right, version));
        settle(&mut found, left, right, Asked { server, settled });
    }
    comparison(found, left, right)
}

/// Compares two catalogs that no server has. A server with the objects of one of them reads the texts that differ.
pub fn judged_elsewhere(left: &Catalog, right: &Catalog, server: &mut dyn Server) -> Comparison {
    let mut found = compare(left, right);
    let settled = &mut Settled::default();
    settle(&mut found, left, right, Asked { server, settled });
    comparison(found, left, right)
}

/// Returns true if there are differences of which a server may say that they are none.
pub fn has_open_texts(left: &Catalog, right: &Catalog) -> bool {
    compare(left, right).iter().any(Difference::is_of_text)
}

/// Removes the differences that are none to the server.
fn settle(found: &mut Vec<Difference>, left: &Catalog, right: &Catalog, mut server: Asked<'_>) {
    if !found.iter().any(Difference::is_of_text) {
        return;
    }
    let (mut one, mut other) = (left.clone(), right.clone());
    for difference in found.iter().filter(|difference| difference.is_of_text()) {
        server.settle(&mut one, &mut other, &difference.subject);
    }
    let still = compare(&one, &other);
    found.retain_mut(|difference| {
        let mut others = still.iter();
        let same = |other: &&Difference| other.is_about_the_same(difference);
        let is_left = others.clone().any(|other| same(&other));
        let certain = others.any(|other| same(&other) && !other.open);
        let is_kept = certain || (difference.open && is_left);
        difference.open &= !certain;
        is_kept
    });
}

/// Separates what differs from what could not be compared.
fn comparison(found: Vec<Difference>, left: &Catalog, right: &Catalog) -> Comparison {
    let mut comparison = Comparison::default();
    for difference in found {
        if difference.open {
            comparison
                .not_compared
                .push(difference.subject_and_aspect());
        } else {
            comparison.differences.push(difference);
        }
    }
    let gaps = left.gaps.iter().chain(&right.gaps);
    comparison
        .not_compared
        .extend(gaps.map(ToString::to_string));
    comparison.not_compared.dedup();
    comparison
}

/// Whether a server of this version has it otherwise than replay, which follows the newest.
fn is_of_version(difference: &Difference, left: &Catalog, right: &Catalog, version: i32) -> bool {
    let (Subject::Column(table, name), How::Differs { aspect, .. }) =
        (&difference.subject, &difference.how)
    else {
        return false;
    };
    let (Some(one), Some(other)) = (left.relations.get(table), right.relations.get(table)) else {
        return false;
    };
    let column = |relation: &'_ Relation| {
        let mut columns = relation.columns.iter();
        columns
            .find(|own| own.name == *name)
            .map(|own| own.fill.clone())
    };
    match *aspect {
        // Only from PostgreSQL 17 on has a partition the identity of its parent.
        "its default" if version < 17 && one.kind == RelationKind::Partition => {
            let is_shared = |fill: Option<Fill>| matches!(fill, Some(Fill::Identity { .. }));
            let is_none = |fill: Option<Fill>| fill == Some(Fill::Nothing);
            is_shared(column(one)) && is_none(column(other))
                || is_none(column(one)) && is_shared(column(other))
        }
        // Only from PostgreSQL 18 on is NOT NULL inherited and lost as checks are.
        "its nullability" if version < 18 => {
            let has_it = |catalog: &Catalog, parent: &Name| {
                let parent = catalog.relations.get(parent);
                parent.is_some_and(|parent| column(parent).is_some())
            };
            one.parents.iter().any(|parent| has_it(left, parent))
                && other.parents.iter().any(|parent| has_it(right, parent))
        }
        _ => false,
    }
}

impl Difference {
    /// Whether another way of writing may be all that differs.
    fn is_of_text(&self) -> bool {
        matches!(self.how, How::Differs { aspect, .. } if TEXTS.contains(&aspect))
    }

    fn is_about_the_same(&self, other: &Self) -> bool {
        let aspect = |difference: &Self| match &difference.how {
            How::Differs { aspect, .. } => Some(*aspect),
            How::OnlyLeft | How::OnlyRight => None,
        };
        self.subject == other.subject && aspect(self) == aspect(other)
    }

    fn subject_and_aspect(&self) -> String {
        match &self.how {
            How::Differs { aspect, .. } if *aspect != "it" => format!("{}: {aspect}", self.subject),
            _ => self.subject.to_string(),
        }
    }
}

/// The aspects that are, or hold, SQL that PostgreSQL writes anew.
const TEXTS: [&str; 9] = [
    "it",
    "its default",
    "a default",
    "its query",
    "its condition",
    "USING",
    "WITH CHECK",
    "its body",
    "its partition bound",
];

/// The two texts of one thing, in the two catalogs.
type Pair<'t> = (&'t mut String, &'t mut String);

/// Where a text stands, and so how a server reads it.
enum Place<'p> {
    /// A value of this type.
    Value(&'p DataType),
    /// An expression over the columns of a table.
    Over(&'p Name),
    /// The condition of a trigger.
    OldAndNew(&'p Name),
    /// A check of a domain.
    Domain(&'p DataType),
    /// The query of a view with these columns.
    Query(&'p [String]),
    /// The bound of a partition of this table.
    Bound(&'p Name),
    /// The body of a function.
    Body(&'p Routine),
    /// The statement that makes a rule of this table or view.
    Rule(&'p Name),
}

/// A server, and what it has said so far.
struct Asked<'s> {
    server: &'s mut dyn Server,
    settled: &'s mut Settled,
}

impl Asked<'_> {
    /// Brings the texts of one subject to the server's words, in both catalogs.
    fn settle(&mut self, left: &mut Catalog, right: &mut Catalog, subject: &Subject) {
        match subject {
            Subject::Column(table, column) => {
                let find = |catalog: &'_ mut Catalog| -> Option<(Fill, DataType)> {
                    let relation = catalog.relations.get(table)?;
                    let found = relation.columns.iter().find(|own| own.name == *column)?;
                    Some((found.fill.clone(), found.data_type.clone()))
                };
                let (Some((mut one, data_type)), Some((mut other, _))) = (find(left), find(right))
                else {
                    return;
                };
                match (&mut one, &mut other) {
                    (Fill::Default(one), Fill::Default(other)) => {
                        self.pair((one, other), &Place::Value(&data_type), (None, None));
                    }
                    (
                        Fill::Generated {
                            expression: one, ..
                        },
                        Fill::Generated {
                            expression: other, ..
                        },
                    ) => {
                        self.pair((one, other), &Place::Over(table), (None, None));
                    }
                    _ => {}
                }
                for (catalog, fill) in [(left, one), (right, other)] {
                    let columns = catalog
                        .relations
                        .get_mut(table)
                        .map(|relation| relation.columns.iter_mut());
                    for own in columns.into_iter().flatten() {
                        if own.name == *column {
                            own.fill = fill.clone();
                        }
                    }
                }
            }
            Subject::Constraint(table, name) => {
                let (Some(one), Some(other)) = (
                    left.relations.get_mut(table),
                    right.relations.get_mut(table),
                ) else {
                    return;
                };
                let find = |list: &'_ mut Vec<crate::Constraint>| {
                    list.iter().position(|own| own.name == *name)
                };
                let (Some(at), Some(to)) =
                    (find(&mut one.constraints), find(&mut other.constraints))
                else {
                    return;
                };
                if let (
                    ConstraintKind::Check { expression, .. },
                    ConstraintKind::Check {
                        expression: other, ..
                    },
                ) = (
                    &mut one.constraints[at].kind,
                    &mut other.constraints[to].kind,
                ) {
                    self.pair((expression, other), &Place::Over(table), (None, None));
                }
                self.index(left, right, table, name);
            }
            Subject::Index(table, name) => self.index(left, right, table, name),
            Subject::Relation(name) => self.relation(left, right, name),
            Subject::Trigger(table, name) => {
                let find = |catalog: &'_ mut Catalog| {
                    let triggers = &mut catalog.relations.get_mut(table)?.attached.triggers;
                    let found = triggers.iter_mut().find(|own| own.name == *name)?;
                    found.condition.clone()
                };
                let (Some(mut one), Some(mut other)) = (find(left), find(right)) else {
                    return;
                };
                self.code(&mut one, &mut other, &Place::OldAndNew(table));
                for (catalog, code) in [(left, one), (right, other)] {
                    if let Some(relation) = catalog.relations.get_mut(table) {
                        let mut own = relation.attached.triggers.iter_mut();
                        if let Some(own) = own.find(|own| own.name == *name) {
                            own.condition = Some(code);
                        }
                    }
                }
            }
            Subject::Policy(table, name) => self.policy(left, right, table, name),
            Subject::Rule(table, name) => {
                let (Some(one), Some(other)) = (
                    left.relations.get_mut(table),
                    right.relations.get_mut(table),
                ) else {
                    return;
                };
                let one = one.attached.rules.iter_mut().find(|own| own.name == *name);
                let mut others = other.attached.rules.iter_mut();
                let other = others.find(|own| own.name == *name);
                if let (Some(one), Some(other)) = (one, other) {
                    self.code(
                        &mut one.definition,
                        &mut other.definition,
                        &Place::Rule(table),
                    );
                }
            }
            Subject::Routine(_, _, title) => {
                let find = |catalog: &Catalog| {
                    let mut routines = catalog.routines.iter();
                    routines.position(|own| own.title() == *title)
                };
                let (Some(at), Some(to)) = (find(left), find(right)) else {
                    return;
                };
                let (one, other) = (&mut left.routines[at], &mut right.routines[to]);
                self.routine(one, other);
            }
            Subject::Type(name) | Subject::DomainCheck(name, _) => {
                self.domain(left, right, name);
            }
            Subject::Schema(_) | Subject::Extension(_) | Subject::Sequence(_) => {}
        }
    }

    fn index(&mut self, left: &mut Catalog, right: &mut Catalog, table: &Name, name: &str) {
        let (Some(one), Some(other)) = (
            left.relations.get_mut(table),
            right.relations.get_mut(table),
        ) else {
            return;
        };
        let one = one.indexes.iter_mut().find(|own| own.name == name);
        let other = other.indexes.iter_mut().find(|own| own.name == name);
        let (Some(one), Some(other)) = (one, other) else {
            return;
        };
        for pair in one.keys.iter_mut().zip(&mut other.keys) {
            if let (IndexKey::Expression { text, .. }, IndexKey::Expression { text: other, .. }) =
                pair
            {
                self.pair((text, other), &Place::Over(table), (None, None));
            }
        }
        if let (Some(one), Some(other)) = (&mut one.predicate, &mut other.predicate) {
            self.pair((one, other), &Place::Over(table), (None, None));
        }
    }

    fn relation(&mut self, left: &mut Catalog, right: &mut Catalog, name: &Name) {
        let (Some(one), Some(other)) =
            (left.relations.get_mut(name), right.relations.get_mut(name))
        else {
            return;
        };
        if let (Some(bound), Some(other_bound), [parent, ..]) = (
            &mut one.partition_bound,
            &mut other.partition_bound,
            other.parents.as_slice(),
        ) {
            let parent = parent.clone();
            self.pair((bound, other_bound), &Place::Bound(&parent), (None, None));
        }
        let is_view = matches!(
            one.kind,
            RelationKind::View | RelationKind::MaterializedView
        );
        let names = |columns: &[crate::Column]| -> Vec<String> {
            columns.iter().map(|column| column.name.clone()).collect()
        };
        let (columns, others) = (names(&one.columns), names(&other.columns));
        if is_view && columns == others {
            let codes = (&mut one.attached.query, &mut other.attached.query);
            if let (Some(one), Some(other)) = codes {
                self.code(one, other, &Place::Query(&columns));
            }
        }
    }

    fn policy(&mut self, left: &mut Catalog, right: &mut Catalog, table: &Name, name: &str) {
        let (Some(one), Some(other)) = (
            left.relations.get_mut(table),
            right.relations.get_mut(table),
        ) else {
            return;
        };
        let one = one
            .attached
            .policies
            .iter_mut()
            .find(|own| own.name == name);
        let other = other
            .attached
            .policies
            .iter_mut()
            .find(|own| own.name == name);
        let (Some(one), Some(other)) = (one, other) else {
            return;
        };
        let pairs = [
            (&mut one.using, &mut other.using),
            (&mut one.with_check, &mut other.with_check),
        ];
        for pair in pairs {
            if let (Some(one), Some(other)) = pair {
                self.code(one, other, &Place::Over(table));
            }
        }
    }

    fn routine(&mut self, one: &mut Routine, other: &mut Routine) {
        for (one, other) in one.arguments.iter_mut().zip(&mut other.arguments) {
            let data_type = one.data_type.clone();
            if let (Some(one), Some(other)) = (&mut one.default, &mut other.default) {
                self.pair((one, other), &Place::Value(&data_type), (None, None));
            }
        }
        // A default is by now a query in the server's words, and means nothing for the body.
        let bare = |routine: &Routine| {
            let mut bare = routine.clone();
            for argument in &mut bare.arguments {
                argument.default = None;
            }
            bare
        };
        let (shape, other_shape) = (bare(one), bare(other));
        if shape.head() == other_shape.head()
            && let (Body::Sql(one), Body::Sql(other)) = (&mut one.body, &mut other.body)
        {
            self.code(one, other, &Place::Body(&shape));
        }
    }

    fn domain(&mut self, left: &mut Catalog, right: &mut Catalog, name: &Name) {
        let (Some(one), Some(other)) = (left.types.get_mut(name), right.types.get_mut(name)) else {
            return;
        };
        if let (
            TypeKind::Domain {
                base,
                default,
                checks,
                ..
            },
            TypeKind::Domain {
                default: other_default,
                checks: other_checks,
                ..
            },
        ) = (&mut one.kind, &mut other.kind)
        {
            if let (Some(one), Some(other)) = (default, other_default) {
                self.pair((one, other), &Place::Value(base), (None, None));
            }
            for check in checks {
                let found = other_checks.iter_mut().find(|own| own.name == check.name);
                if let Some(found) = found
                    && let (
                        ConstraintKind::Check { expression, .. },
                        ConstraintKind::Check {
                            expression: other, ..
                        },
                    ) = (&mut check.kind, &mut found.kind)
                {
                    self.pair((expression, other), &Place::Domain(base), (None, None));
                }
            }
        }
    }

    fn code(&mut self, one: &mut Code, other: &mut Code, place: &Place<'_>) {
        let paths = (one.search_path.clone(), other.search_path.clone());
        if let (Some(text), Some(other_text)) = (&mut one.text, &mut other.text) {
            let are_read = self.pair((text, other_text), place, (paths.0, paths.1));
            if are_read {
                one.search_path = None;
                other.search_path = None;
            }
        }
    }

    /// Brings both texts to the server's words, if it reads both; whether it does.
    fn pair(
        &mut self,
        (one, other): Pair<'_>,
        place: &Place<'_>,
        paths: (Option<Vec<String>>, Option<Vec<String>>),
    ) -> bool {
        if one == other && paths.0.is_some() == paths.1.is_some() {
            return true;
        }
        let key = (one.clone(), other.clone());
        if self.settled.0.contains(&key) {
            one.clone_from(other);
            return true;
        }
        let (Some(left), Some(right)) = (
            self.read(one, place, paths.0.as_deref()),
            self.read(other, place, paths.1.as_deref()),
        ) else {
            return false;
        };
        if left == right {
            self.settled.0.insert(key);
        }
        *one = left;
        *other = right;
        true
    }

    /// One text in the server's words.
    fn read(
        &mut self,
        text: &str,
        place: &Place<'_>,
        search_path: Option<&[String]>,
    ) -> Option<String> {
        const PROBE: &str = "pg_temp.bowline_probe";
        let view = |select: &str| format!("CREATE TEMPORARY VIEW bowline_probe AS {select}");
        let is_view = format!("pg_get_viewdef('{PROBE}'::regclass)");
        let text = text.trim().trim_end_matches(';');
        let (create, ask) = match place {
            Place::Value(data_type) => {
                let target = data_type.sql();
                (view(&format!("SELECT ({text})::{target} AS e")), is_view)
            }
            Place::Over(table) => (
                view(&format!("SELECT ({text}) AS e FROM ONLY {}", full(table))),
                is_view,
            ),
            Place::OldAndNew(table) => {
                let table = full(table);
                let select =
                    format!("SELECT ({text}) AS e FROM ONLY {table} old, ONLY {table} new");
                (view(&select), is_view)
            }
            Place::Domain(data_type) => {
                let base = data_type.sql();
                let select =
                    format!("SELECT ({text}) AS e FROM (SELECT NULL::{base} AS value) domain");
                (view(&select), is_view)
            }
            Place::Query(columns) => {
                let columns: Vec<String> = columns.iter().map(|column| quoted(column)).collect();
                let columns = match columns.as_slice() {
                    [] => String::new(),
                    columns => format!(" ({})", columns.join(", ")),
                };
                let create = format!("CREATE TEMPORARY VIEW bowline_probe{columns} AS {text}");
                (create, is_view)
            }
            Place::Bound(parent) => {
                let key = format!("pg_get_partkeydef({}::regclass)", literal_of(parent));
                let create = format!(
                    "DO $probe$ BEGIN EXECUTE 'CREATE TEMPORARY TABLE bowline_parent (LIKE {} ) PARTITION BY ' || {key}; END $probe$;
                     CREATE TEMPORARY TABLE bowline_probe PARTITION OF bowline_parent {text}",
                    full(parent).replace('\'', "''")
                );
                let ask = format!(
                    "(SELECT pg_get_expr(relpartbound, oid) FROM pg_class WHERE oid = '{PROBE}'::regclass)"
                );
                (create, ask)
            }
            Place::Rule(table) => {
                let rule = of_another_table(text, PROBE)?;
                let create = format!(
                    "CREATE TEMPORARY TABLE bowline_probe (LIKE {}); {rule}",
                    full(table)
                );
                let ask = format!(
                    "(SELECT pg_get_ruledef(oid) FROM pg_rewrite WHERE ev_class = '{PROBE}'::regclass)"
                );
                (create, ask)
            }
            Place::Body(routine) => {
                let word = match routine.kind.word() {
                    "procedure" => "PROCEDURE",
                    _ => "FUNCTION",
                };
                let head = routine.head();
                let create = format!("CREATE {word} {PROBE}{head} {text}");
                let ask = "(SELECT pg_get_function_sqlbody(oid) FROM pg_proc WHERE proname = 'bowline_probe')";
                (create, ask.to_owned())
            }
        };
        let path: Vec<String> = match search_path {
            Some([]) => vec!["''".to_owned()],
            Some(path) => path.iter().map(|schema| quoted(schema)).collect(),
            None => vec!["public".to_owned()],
        };
        let statements = format!(
            "SET LOCAL search_path TO {}; {create}; SET LOCAL search_path TO public",
            path.join(", ")
        );
        let text = self
            .server
            .probe(&statements, &format!("SELECT {ask}::text AS text"))?;
        Some(text.trim().trim_end_matches(';').to_owned())
    }
}

/// A statement `CREATE RULE .. ON .. TO a.b ..` with another table.
fn of_another_table(rule: &str, table: &str) -> Option<String> {
    let mut tokens = bowline_sql::tokens(rule);
    tokens.find(|token| token.is_word("to"))?;
    let first = tokens.next()?;
    let mut end = first.end();
    let mut rest = tokens.peekable();
    while rest.next_if(|token| token.text() == ".").is_some() {
        end = rest.next()?.end();
    }
    let (before, behind) = (rule.get(..first.start())?, rule.get(end..)?);
    Some(format!("{before}{table}{behind}"))
}

/// A name with its schema, whatever the search path is.
fn full(name: &Name) -> String {
    format!("{}.{}", quoted(&name.schema), quoted(&name.name))
}

fn literal_of(name: &Name) -> String {
    crate::definition::literal(&full(name))
}
