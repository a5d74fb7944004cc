//! The names that a random query can use: relations of a catalog, functions and operators of a
//! server.

use super::server::Server;
use super::values::{Labels, is_known};
use crate::{Catalog, ConstraintKind, DataType, Fill, RelationKind, TypeKind};

pub(super) struct QueryNames {
    pub(super) relations: Vec<Relation>,
    pub(super) functions: Vec<Function>,
    pub(super) operators: Vec<Operator>,
    /// `server_version_num` without its last four digits.
    pub(super) version: u32,
}

/// A table or view. All names are quoted where SQL needs it.
#[derive(Debug, Clone)]
pub(super) struct Relation {
    pub(super) name: String,
    pub(super) columns: Vec<Column>,
    pub(super) is_table: bool,
    /// The columns of the unique keys.
    pub(super) keys: Vec<Vec<String>>,
}

#[derive(Debug, Clone)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) not_null: bool,
    /// False for generated columns and identities that are always generated.
    pub(super) is_written: bool,
    pub(super) has_default: bool,
}

/// A function, an aggregate or a window function of PostgreSQL.
#[derive(Debug, Clone)]
pub(super) struct Function {
    pub(super) name: String,
    pub(super) arguments: Vec<String>,
    pub(super) result: String,
    /// `pg_proc.prokind`.
    pub(super) kind: String,
    pub(super) is_set: bool,
}

#[derive(Debug, Clone)]
pub(super) struct Operator {
    pub(super) name: String,
    pub(super) left: Option<String>,
    pub(super) right: String,
    pub(super) result: String,
}

/// Returns the name of a type as in `values::TYPES`.
pub(super) fn type_name(data_type: &DataType) -> String {
    let schema = match data_type.name.schema.as_str() {
        "pg_catalog" | "public" => String::new(),
        schema => format!("{schema}."),
    };
    let brackets = if data_type.dimensions > 0 { "[]" } else { "" };
    format!("{schema}{}{brackets}", data_type.name.name)
}

fn quoted(name: &str) -> String {
    crate::definition::quoted(name)
}

const TYPE_NAME: &str = "CREATE FUNCTION pg_temp.type_name(of oid) RETURNS text LANGUAGE sql AS \
    $$SELECT CASE WHEN e.typarray = t.oid THEN e.typname || '[]' ELSE t.typname END \
    FROM pg_type t LEFT JOIN pg_type e ON e.oid = t.typelem WHERE t.oid = of$$";

const FUNCTIONS: &str = r"
    SELECT p.proname, array_to_string(ARRAY(SELECT pg_temp.type_name(a) FROM unnest(p.proargtypes) a), ' '),
        pg_temp.type_name(p.prorettype), p.prokind, p.proretset::int
    FROM pg_proc p
    WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.provariadic = 0 AND p.prokind IN ('f', 'a', 'w')
        AND NOT (p.prokind = 'a' AND EXISTS (SELECT FROM pg_aggregate g WHERE g.aggfnoid = p.oid AND g.aggkind <> 'n'))
        AND p.proname !~ '^(pg_|lo_|binary_|query_to|table_to|database_to|schema_to|cursor_to|has_|set_|current_setting|ts_|inet_|nextval|setval|currval|lastval|txid|unique_key|suppress|RI_|xml|amvalidate|gtsvector|json_populate|jsonb_populate|repeat|lpad|rpad|generate_series|brin|gin|gist|spg|hash|float[48]_|int[248]_|numeric_|interval_|array_agg_|percent|like_|regex|timestamp_|timestamptz_|date_[a-z]*_|network|row_security|col_description|obj_|shobj_|to_reg|format_type|has|convert$)'
        AND p.proname !~ '(in|out|recv|send|typmod|sel|trans|transfn|final|serialize|cmp|hash|support|accum|combine|sortsupport|subscript|handler|_eq|_ne|_lt|_le|_gt|_ge|eq|ne|lt|le|gt|ge|like|joinsel|estimate|typanalyze|xid)$'
        AND p.proname NOT IN (SELECT word FROM pg_get_keywords() WHERE catcode <> 'U')
        AND NOT 'internal'::regtype = ANY (p.proargtypes) AND NOT 'cstring'::regtype = ANY (p.proargtypes)
        AND p.prorettype NOT IN ('internal'::regtype, 'cstring'::regtype, 'trigger'::regtype, 'event_trigger'::regtype, 'record'::regtype)
    ORDER BY p.proname, p.oid";

const OPERATORS: &str = "
    SELECT o.oprname, coalesce(pg_temp.type_name(nullif(o.oprleft, 0)), ''), pg_temp.type_name(o.oprright), pg_temp.type_name(o.oprresult)
    FROM pg_operator o WHERE o.oprnamespace = 'pg_catalog'::regnamespace AND o.oprresult <> 0
    ORDER BY o.oprname, o.oid";

/// Returns true if an expression of the type can be written: its values are known, or it is
/// polymorphic.
fn is_usable(name: &str) -> bool {
    is_known(name) || name.starts_with("any")
}

/// Returns the functions and operators of the server.
pub(super) fn built_in(server: &mut Server) -> (Vec<Function>, Vec<Operator>) {
    server.rows(TYPE_NAME);
    let functions = server.rows(FUNCTIONS).into_iter().map(|row| {
        let mut row = row.into_iter().map(Option::unwrap_or_default);
        let mut next = || row.next().expect("five values");
        Function {
            name: next(),
            arguments: next().split_whitespace().map(str::to_owned).collect(),
            result: next(),
            kind: next(),
            is_set: next() == "1",
        }
    });
    let functions = functions.filter(|function| {
        is_usable(&function.result) && function.arguments.iter().all(|name| is_usable(name))
    });
    let functions = functions.collect();
    let operators = server.rows(OPERATORS).into_iter().map(|row| {
        let mut row = row.into_iter().map(Option::unwrap_or_default);
        let mut next = || row.next().expect("four values");
        Operator {
            name: next(),
            left: Some(next()).filter(|name| !name.is_empty()),
            right: next(),
            result: next(),
        }
    });
    let operators = operators.filter(|operator| {
        let mut types = [&operator.right, &operator.result]
            .into_iter()
            .chain(&operator.left);
        types.all(|name| is_usable(name))
    });
    (functions, operators.collect())
}

/// Returns the labels of the enums of a catalog.
pub(super) fn labels(catalog: &Catalog) -> Labels {
    let enums = catalog
        .types
        .values()
        .filter_map(|found| match &found.kind {
            TypeKind::Enum { labels } => {
                let data_type = DataType {
                    name: found.name.clone(),
                    modifiers: Vec::new(),
                    fields: None,
                    dimensions: 0,
                };
                Some((type_name(&data_type), labels.clone()))
            }
            _ => None,
        });
    enums.collect()
}

/// Returns the relations of a catalog.
pub(super) fn relations(catalog: &Catalog) -> Vec<Relation> {
    let relations = catalog.relations.values().map(|relation| {
        let name = match relation.name.schema.as_str() {
            "public" => quoted(&relation.name.name),
            schema => format!("{}.{}", quoted(schema), quoted(&relation.name.name)),
        };
        let columns = relation.columns.iter().map(|column| Column {
            name: quoted(&column.name),
            kind: type_name(&column.data_type),
            not_null: column.not_null,
            is_written: !matches!(
                column.fill,
                Fill::Generated { .. } | Fill::Identity { always: true }
            ),
            has_default: column.fill != Fill::Nothing,
        });
        let keys = relation.constraints.iter().filter_map(|constraint| {
            let (ConstraintKind::PrimaryKey { columns } | ConstraintKind::Unique { columns, .. }) =
                &constraint.kind
            else {
                return None;
            };
            Some(columns.iter().map(|name| quoted(name)).collect())
        });
        Relation {
            name,
            columns: columns.collect(),
            is_table: !matches!(
                relation.kind,
                RelationKind::View | RelationKind::MaterializedView
            ),
            keys: keys.collect(),
        }
    });
    relations.collect()
}
