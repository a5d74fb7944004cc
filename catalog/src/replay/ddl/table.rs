//! CREATE TABLE: parents, elements and constraints, in the order in which PostgreSQL creates and
//! names them.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use crate::replay::ddl::{column, composite, constraint, like, repeated};
use crate::replay::refusal::{Refused, Result, exists};
use crate::replay::state::expressions::Columns;
use crate::replay::state::{State, data_type};
use crate::replay::syntax::clause::{
    self, bound, child_include, column_list, parents, partition_key,
};
use crate::replay::syntax::tree::{child, child_name, child_nodes, has};
use crate::{Name, Relation, RelationKind};

pub(crate) fn create_table(state: &mut State, node: &SyntaxNode) -> Result<()> {
    use SyntaxKind as K;
    let table_name = child(node, K::TABLE_NAME)
        .ok_or_else(|| Refused::new(node, "the table's name is not given"))?;
    let table = state.new_name(node, &table_name)?;
    if state.has_relation(&table.schema, &table.name) {
        if has(node, K::IF_NOT_EXISTS) {
            return Ok(());
        }
        if !state.forget_earlier_temporary(&table) {
            return Err(exists(node, &table));
        }
    }
    repeated::is_no_type(state, node, &table)?;
    let is_partition = has(node, K::PARTITION_OF);
    let kind = match (node.kind(), is_partition, has(node, K::PARTITION_BY)) {
        (_, true, _) => RelationKind::Partition,
        (K::CREATE_FOREIGN_TABLE, ..) => RelationKind::ForeignTable,
        (_, _, true) => RelationKind::PartitionedTable,
        _ => RelationKind::Table,
    };
    let mut relation = Relation::new(table.clone(), kind);
    relation.partition_by = child(node, K::PARTITION_BY)
        .map(|clause| partition_key(&clause))
        .map(|text| state.as_stored(text, Columns::Table(&table)));
    relation.partition_bound = node.children().find_map(|child| bound(&child));
    if let Some(of_type) = child(node, K::OF_TYPE) {
        let composite = composite(state, &of_type)?;
        relation.columns = composite::columns_of_type(state, node, &composite)?;
        relation.of_type = Some(composite);
    }
    for reference in parents(node) {
        let parent = state.relation_mut(&reference)?.name.clone();
        let parent = state.as_inherited(&parent);
        if relation.parents.contains(&parent.name) {
            let why = format!("{} is named twice", parent.name.name);
            return Err(Refused::error(&reference, why).raises("duplicate_table"));
        }
        relation.inherit(&parent, is_partition);
        relation.parents.push(parent.name);
    }
    state.add_relation(relation);
    state.temporary_until_commit(node, &table);
    let built = table_elements(state, node, &table, is_partition);
    if built.is_err() {
        state.take_relation(&table);
    }
    built
}

fn table_elements(
    state: &mut State,
    node: &SyntaxNode,
    table: &Name,
    is_partition: bool,
) -> Result<()> {
    use SyntaxKind as K;
    let elements = child(node, K::TABLE_ARG_LIST);
    let elements: Vec<_> = elements.iter().flat_map(child_nodes).collect();
    repeated::has_one_key(&elements)?;
    let mut clauses: Vec<Clause> = Vec::new();
    let mut likes = Vec::new();
    let mut declared = Vec::new();
    for element in elements {
        match element.kind() {
            K::COLUMN => {
                let column = child_name(&element, K::COLUMN_NAME).unwrap_or_default();
                repeated::is_first(&element, &declared, &column)?;
                let column = column::add_column(state, &element, table)?;
                declared.push(column.clone());
                let beside = child_nodes(&element);
                clauses.extend(beside.map(|clause| (clause, Some(column.clone()))));
            }
            K::LIKE_CLAUSE => {
                likes.push(like::like_columns(state, &element, table, &mut declared)?);
            }
            _ => clauses.push((element, None)),
        }
    }
    let is =
        |kinds: &'static [SyntaxKind]| move |clause: &&Clause| kinds.contains(&clause.0.kind());
    // Checks are named before keys, and keys before foreign keys, whatever their order in the
    // source.
    for (clause, column) in clauses
        .iter()
        .filter(is(&[K::CHECK_CONSTRAINT, K::NOT_NULL_CONSTRAINT]))
    {
        constraint::add_constraint(state, clause, table, column.as_deref())?;
    }
    if is_partition {
        state.follow_partitioned_parent(table);
    }
    let keys: Vec<Clause> = clauses
        .iter()
        .filter(is(&[
            K::PRIMARY_KEY_CONSTRAINT,
            K::UNIQUE_CONSTRAINT,
            K::EXCLUDE_CONSTRAINT,
        ]))
        .cloned()
        .collect();
    for (clause, column, given) in without_repeated_keys(keys) {
        constraint::add_named_constraint(state, &clause, table, column.as_deref(), given)?;
    }
    for like in &likes {
        like::like_indexes_and_checks(state, like, table)?;
    }
    for (clause, column) in clauses
        .iter()
        .filter(is(&[K::FOREIGN_KEY_CONSTRAINT, K::REFERENCES_CONSTRAINT]))
    {
        constraint::add_constraint(state, clause, table, column.as_deref())?;
    }
    Ok(())
}

/// Returns the composite type that `OF` names.
pub(crate) fn composite(state: &State, clause: &SyntaxNode) -> Result<Name> {
    Ok(data_type::child_type(state, clause)?.data_type.name)
}

/// A constraint's clause, and its column if it is a column constraint.
type Clause = (SyntaxNode, Option<String>);

/// Removes repeated keys, since PostgreSQL creates one index for equal keys of a statement. The
/// primary key comes first. The index gets the first name that is given.
fn without_repeated_keys(
    mut clauses: Vec<Clause>,
) -> Vec<(SyntaxNode, Option<String>, Option<String>)> {
    use SyntaxKind as K;
    clauses.sort_by_key(|(clause, _)| clause.kind() != K::PRIMARY_KEY_CONSTRAINT);
    type Alike = (Vec<String>, Vec<String>, [bool; 3]);
    let alike = |(clause, column): &Clause| -> Option<Alike> {
        let listed = column_list(clause, K::CONSTRAINT_COLUMN_REF_LIST);
        let columns = column.clone().map_or(listed, |column| vec![column]);
        let included = child_include(clause);
        let options = clause::deferral(clause);
        let nulls = clause::nulls_not_distinct(clause);
        (clause.kind() != K::EXCLUDE_CONSTRAINT).then_some((
            columns,
            included,
            [options.0, options.1, nulls],
        ))
    };
    let mut kept: Vec<(Clause, Option<String>)> = Vec::new();
    for clause in clauses {
        let given = clause::given_name(&clause.0);
        let earlier = alike(&clause).and_then(|key| {
            kept.iter_mut()
                .find(|(other, _)| alike(other).as_ref() == Some(&key))
        });
        match earlier {
            None => kept.push((clause, given)),
            Some((_, name)) => {
                if name.is_none() {
                    *name = given;
                }
            }
        }
    }
    kept.into_iter()
        .map(|((clause, column), given)| (clause, column, given))
        .collect()
}
