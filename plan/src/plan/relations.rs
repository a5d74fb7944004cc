//! The relations of a table's rows: each foreign key in both directions, and through join tables.

use bowline_catalog::definition::quoted;
use bowline_catalog::{Catalog, ConstraintKind, Name, Relation};

use super::english::singular;
use super::names::{rust_name as rust_name_of, snake};
use super::ordered::trimmed;
use super::problem::shown;
use super::table::TablePlan;

/// A relation of a table's rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelationPlan {
    /// The name, as a field of a graph has it.
    pub name: String,
    /// The documentation.
    pub words: String,
    /// How many rows it leads to.
    pub kind: RelationTo,
    /// The path of the table's module that it leads to.
    pub table: String,
    /// The columns of the row that the condition compares.
    pub of: Vec<String>,
    /// The key by which many rows are ordered.
    pub key: Vec<String>,
    /// The related rows, as a template: `users AS {t}`.
    pub from: String,
    /// Which of them belong to a row, as a template: `{t}.id = {p}.author_id`.
    pub condition: String,
    /// True if a table has policies, which can call functions.
    pub calls: bool,
}

/// How many rows a relation leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RelationTo {
    /// Exactly one.
    One,
    /// One or none.
    Optional,
    /// Any number.
    Many,
}

/// A relation with the names that it can get: the first that no other relation of its table has.
struct Draft {
    owner: usize,
    names: Vec<String>,
    relation: RelationPlan,
}

/// A foreign key between two tables that have code.
struct Link<'a> {
    child: usize,
    parent: usize,
    name: &'a str,
    columns: &'a [String],
    referenced: &'a [String],
    /// True if each row of the child has a row of the parent.
    is_sure: bool,
    /// True if a row of the parent has at most one row of the child.
    is_unique: bool,
    /// An index that begins with the columns.
    index: Option<&'a str>,
}

/// Adds the relations to the tables.
pub(super) fn add(catalog: &Catalog, tables: &mut [TablePlan], notes: &mut Vec<String>) {
    let links = links(catalog, tables);
    let mut drafts = Vec::new();
    for link in &links {
        drafts.extend(to_one(tables, link));
    }
    for link in &links {
        drafts.extend(to_many(tables, link));
    }
    for from in &links {
        for to in &links {
            drafts.extend(through(tables, from, to));
        }
    }
    for (owner, table) in tables.iter_mut().enumerate() {
        let of_table = drafts.iter_mut().filter(|draft| draft.owner == owner);
        let mut of_table: Vec<&mut Draft> = of_table.collect();
        settle(&mut of_table);
        for at in 0..of_table.len() {
            let name = of_table[at].names[0].clone();
            let same = of_table.iter().filter(|other| other.names[0] == name);
            if same.count() > 1 {
                notes.push(format!(
                    "{}.{name} is not generated: several relations would have this name",
                    table.full_row()
                ));
                continue;
            }
            let mut relation = of_table[at].relation.clone();
            relation.name = name;
            table.relations.push(relation);
        }
    }
}

/// Gives each relation a longer name while another one has the same, so that none has it. A new
/// foreign key then removes a name, but never gives it another meaning.
fn settle(drafts: &mut [&mut Draft]) {
    loop {
        let names: Vec<String> = drafts.iter().map(|draft| draft.names[0].clone()).collect();
        let mut is_settled = true;
        for draft in drafts.iter_mut() {
            let same = names.iter().filter(|name| **name == draft.names[0]);
            if same.count() > 1 && draft.names.len() > 1 {
                draft.names.remove(0);
                is_settled = false;
            }
        }
        if is_settled {
            return;
        }
    }
}

fn links<'a>(catalog: &'a Catalog, tables: &[TablePlan]) -> Vec<Link<'a>> {
    let position = |name: &Name| tables.iter().position(|table| table.name == *name);
    let mut links: Vec<Link<'a>> = Vec::new();
    for (child, table) in tables.iter().enumerate().filter(|(_, it)| !it.is_view) {
        let Some(relation) = catalog.relations.get(&table.name) else {
            continue;
        };
        for constraint in relation.constraints.iter().filter(|it| !it.temporal) {
            let ConstraintKind::ForeignKey {
                columns,
                references,
                referenced_columns,
                ..
            } = &constraint.kind
            else {
                continue;
            };
            let Some(parent) = position(references) else {
                continue;
            };
            let is_sure = constraint.validated
                && constraint.enforced
                && columns.iter().all(|column| is_never_null(table, column));
            // PostgreSQL takes the same foreign key twice. One of the two that is validated is
            // enough for a relation that always has a row.
            let is_same = |other: &&mut Link<'_>| {
                (other.child, other.parent) == (child, parent)
                    && other.columns == columns
                    && other.referenced == referenced_columns
            };
            if let Some(same) = links.iter_mut().find(is_same) {
                same.is_sure |= is_sure;
                continue;
            }
            links.push(Link {
                child,
                parent,
                name: &constraint.name,
                columns,
                referenced: referenced_columns,
                is_sure,
                is_unique: is_unique(relation, columns),
                index: index(relation, table, columns),
            });
        }
    }
    links
}

fn is_never_null(table: &TablePlan, column: &str) -> bool {
    let mut fields = table.fields.iter();
    fields.any(|field| field.sql_name == column && field.options == 0)
}

fn is_unique(relation: &Relation, columns: &[String]) -> bool {
    relation.indexes.iter().any(|index| {
        let keys = index.plain_columns();
        index.unique
            && index.predicate.is_none()
            && !index.invalid
            && keys.is_some_and(|keys| keys.iter().all(|key| columns.contains(key)))
    })
}

fn index<'a>(relation: &'a Relation, table: &TablePlan, columns: &[String]) -> Option<&'a str> {
    let serves = relation.indexes.iter().find(|index| {
        let keys = index.plain_columns().unwrap_or_default();
        let begin = keys.get(..columns.len());
        index.method == "btree"
            && !index.invalid
            && table.roles.predicate(index).is_none()
            && begin.is_some_and(|begin| begin.iter().all(|key| columns.contains(key)))
    });
    serves.map(|index| index.name.as_str())
}

/// Returns true if the rows of a table have these columns, as the type that PostgreSQL compares.
fn has_columns(table: &TablePlan, columns: &[String]) -> bool {
    let is_as_it_is = |column: &String| {
        let mut fields = table.fields.iter().filter(|it| it.sql_name == *column);
        fields.any(|field| match &field.via {
            Some(via) => via.read_suffix().is_empty(),
            None => true,
        })
    };
    columns.iter().all(is_as_it_is)
}

fn to_one(tables: &[TablePlan], link: &Link<'_>) -> Option<Draft> {
    let (child, parent) = (&tables[link.child], &tables[link.parent]);
    if !has_columns(child, link.columns) {
        return None;
    }
    let name = match link.columns {
        [column] => trimmed(&rust_name(child, column)).to_owned(),
        _ => singular(&parent.schema_name),
    };
    let is_sure = link.is_sure && parent.only_reads;
    let words = format!(
        "The row of `{}` {}: the foreign key `{}`.",
        shown(&parent.name),
        that_is(link.referenced, link.columns),
        link.name
    );
    let full = format!("{name}_by_{}", by(child, link.columns));
    let of_schema = in_schema(parent, &full);
    Some(Draft {
        owner: link.child,
        names: vec![name, full, of_schema],
        relation: RelationPlan {
            name: String::new(),
            words,
            kind: if is_sure {
                RelationTo::One
            } else {
                RelationTo::Optional
            },
            table: path(parent),
            of: link.columns.to_vec(),
            key: Vec::new(),
            from: format!("{} AS {{t}}", sql_name(parent)),
            condition: equal(("t", link.referenced), ("p", link.columns)),
            calls: !parent.only_reads,
        },
    })
}

fn to_many(tables: &[TablePlan], link: &Link<'_>) -> Option<Draft> {
    let (child, parent) = (&tables[link.child], &tables[link.parent]);
    if !has_columns(parent, link.referenced) || (child.key.is_empty() && !link.is_unique) {
        return None;
    }
    let (rows, name) = if link.is_unique {
        ("row", singular(&child.schema_name))
    } else {
        ("rows", child.schema_name.clone())
    };
    let name = name.trim_start_matches("r#").to_owned();
    let order = if link.is_unique {
        String::new()
    } else {
        format!(", by {}", child.key.join(" and "))
    };
    let words = format!(
        "The {rows} of `{}` {}: the foreign key `{}`{order}.\n\n{}",
        shown(&child.name),
        that_is(link.columns, link.referenced),
        link.name,
        served(child, link)
    );
    let full = format!("{name}_by_{}", by(child, link.columns));
    Some(Draft {
        owner: link.parent,
        // A row has rows of its own table by a column that says which they are.
        names: {
            let of_schema = in_schema(child, &full);
            let short = (link.child != link.parent).then_some(name);
            short.into_iter().chain([full, of_schema]).collect()
        },
        relation: RelationPlan {
            name: String::new(),
            words,
            kind: if link.is_unique {
                RelationTo::Optional
            } else {
                RelationTo::Many
            },
            table: path(child),
            of: link.referenced.to_vec(),
            key: child.key.clone(),
            from: format!("{} AS {{t}}", sql_name(child)),
            condition: equal(("t", link.columns), ("p", link.referenced)) + &is_kept(child, "t"),
            calls: !child.only_reads,
        },
    })
}

/// Returns the relation between two tables through the one that refers to both, if its key is that
/// of both.
fn through(tables: &[TablePlan], from: &Link<'_>, to: &Link<'_>) -> Option<Draft> {
    let (join, owner, target) = (
        &tables[from.child],
        &tables[from.parent],
        &tables[to.parent],
    );
    let is_of_both = from.child == to.child
        && from.name != to.name
        && join.key.len() == from.columns.len() + to.columns.len()
        && join
            .key
            .iter()
            .all(|column| from.columns.contains(column) != to.columns.contains(column));
    if !is_of_both || !has_columns(owner, from.referenced) || target.key.is_empty() {
        return None;
    }
    let name = target.schema_name.trim_start_matches("r#").to_owned();
    let through = format!(
        "{name}_through_{}",
        join.schema_name.trim_start_matches("r#")
    );
    let words = format!(
        "The rows of `{}` through `{}`, whose {}, by {}.\n\n{}",
        shown(&target.name),
        shown(&join.name),
        is_words(from.columns, from.referenced),
        target.key.join(" and "),
        served(join, from)
    );
    let full = format!("{through}_by_{}", by(join, from.columns));
    let of_schema = in_schema(target, &full);
    let of_schemas = in_schema(join, &of_schema);
    let mut names = vec![name, through, full, of_schema, of_schemas];
    if from.parent == to.parent {
        names.drain(..2);
    }
    Some(Draft {
        owner: from.parent,
        names,
        relation: RelationPlan {
            name: String::new(),
            words,
            kind: RelationTo::Many,
            table: path(target),
            of: from.referenced.to_vec(),
            key: target.key.clone(),
            from: format!(
                "{} AS {{j}} JOIN {} AS {{t}} ON {}",
                sql_name(join),
                sql_name(target),
                equal(("t", to.referenced), ("j", to.columns))
            ),
            condition: equal(("j", from.columns), ("p", from.referenced))
                + &is_kept(join, "j")
                + &is_kept(target, "t"),
            calls: !join.only_reads || !target.only_reads,
        },
    })
}

/// Returns the path of a table's module.
fn path(table: &TablePlan) -> String {
    format!("{}::{}", table.schema_path, table.schema_name)
}

fn rust_name(table: &TablePlan, column: &str) -> String {
    let mut fields = table.fields.iter();
    let field = fields.find(|field| field.sql_name == column);
    let name = field.map_or(column, |field| field.name.as_str());
    name.trim_start_matches("r#").to_owned()
}

/// Returns the columns for a name: `sender`, or `tenant_and_doc`.
fn by(table: &TablePlan, columns: &[String]) -> String {
    let names = columns.iter().map(|column| rust_name(table, column));
    let names: Vec<String> = names.map(|name| trimmed(&name).to_owned()).collect();
    names.join("_and_")
}

/// Returns a name with the schema of a table, for one that tables of several schemas would give.
fn in_schema(table: &TablePlan, name: &str) -> String {
    let schema = rust_name_of(&snake(&table.name.schema), None);
    format!("{}_{name}", schema.trim_matches('_'))
}

/// Returns the table's name in a template.
fn sql_name(table: &TablePlan) -> String {
    let name = escaped(&table.name.name);
    if table.name.schema == "public" {
        name
    } else {
        format!("{}.{name}", escaped(&table.name.schema))
    }
}

fn escaped(name: &str) -> String {
    quoted(name).replace('{', "{{").replace('}', "}}")
}

/// Returns `{t}.id = {p}.author_id`.
fn equal((left, columns): (&str, &[String]), (right, others): (&str, &[String])) -> String {
    let pairs = columns.iter().zip(others);
    let equal = pairs.map(|(column, other)| {
        let (column, other) = (escaped(column), escaped(other));
        format!("{{{left}}}.{column} = {{{right}}}.{other}")
    });
    equal.collect::<Vec<_>>().join(" AND ")
}

/// Returns ` AND {t}.deleted_at IS NULL` for rows that can be marked as deleted.
fn is_kept(table: &TablePlan, alias: &str) -> String {
    match &table.roles.deleted_at {
        Some(deleted_at) => format!(" AND {{{alias}}}.{} IS NULL", escaped(deleted_at)),
        None => String::new(),
    }
}

/// Returns `whose issue_id is this id`.
fn that_is(theirs: &[String], ours: &[String]) -> String {
    format!("whose {}", is_words(theirs, ours))
}

fn is_words(theirs: &[String], ours: &[String]) -> String {
    let pairs = theirs.iter().zip(ours);
    let words = pairs.map(|(their, our)| format!("`{their}` is the `{our}` here"));
    words.collect::<Vec<_>>().join(" and ")
}

fn served(table: &TablePlan, link: &Link<'_>) -> String {
    match link.index {
        Some(index) => format!("Served by the index `{index}`."),
        None => format!(
            "No index serves it: `{}` is read whole for each row. One on `({})` would.",
            shown(&table.name),
            link.columns.join(", ")
        ),
    }
}
