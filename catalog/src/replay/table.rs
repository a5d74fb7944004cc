//! CREATE TABLE: parents, elements and constraints, in the order in which PostgreSQL makes and names them.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use super::off::is_off;
use super::refusal::{Refused, Result};
use super::tree::{below, child, children, has, name, path, text};
use super::{Replay, data_type};
use crate::attached::Attached;
use crate::{Column, ConstraintKind, Fill, Name, Relation, RelationKind, TypeKind};

impl Replay {
    pub(super) fn create_table(&mut self, node: &SyntaxNode) -> Result<()> {
        use SyntaxKind as K;
        let table_name = child(node, K::TABLE_NAME)
            .ok_or_else(|| Refused::new(node, "the table's name is not given"))?;
        let table = self.new_name(node, &table_name)?;
        if self.has_relation(&table.schema, &table.name) {
            if has(node, K::IF_NOT_EXISTS) {
                return Ok(());
            }
            if !self.forget_earlier_temporary(&table) {
                return Err(exists(node, &table));
            }
        }
        let is_partition = has(node, K::PARTITION_OF);
        let kind = match (node.kind(), is_partition, has(node, K::PARTITION_BY)) {
            (_, true, _) => RelationKind::Partition,
            (K::CREATE_FOREIGN_TABLE, ..) => RelationKind::ForeignTable,
            (_, _, true) => RelationKind::PartitionedTable,
            _ => RelationKind::Table,
        };
        let mut relation = Relation::new(table.clone(), kind);
        relation.partition_by = child(node, K::PARTITION_BY).map(|clause| partition_key(&clause));
        relation.partition_bound = node.children().find_map(|child| bound(&child));
        if let Some(of_type) = child(node, K::OF_TYPE) {
            let composite = self.composite(&of_type)?;
            relation.columns = self.columns_of_type(node, &composite)?;
            relation.of_type = Some(composite);
        }
        for reference in parents(node) {
            let parent = self.relation_mut(&reference)?.name.clone();
            let parent = self.as_inherited(&parent);
            relation.inherit(&parent, is_partition);
            relation.parents.push(parent.name);
        }
        self.catalog.relations.insert(table.clone(), relation);
        self.temporary_until_commit(node, &table);
        let built = self.table_elements(node, &table, is_partition);
        if built.is_err() {
            self.catalog.relations.remove(&table);
        }
        built
    }

    fn table_elements(
        &mut self,
        node: &SyntaxNode,
        table: &Name,
        is_partition: bool,
    ) -> Result<()> {
        use SyntaxKind as K;
        let elements = child(node, K::TABLE_ARG_LIST);
        let elements: Vec<_> = elements.iter().flat_map(SyntaxNode::children).collect();
        let mut clauses: Vec<Clause> = Vec::new();
        let mut likes = Vec::new();
        for element in elements {
            match element.kind() {
                kind if is_off(kind) => {}
                K::COLUMN => {
                    let column = self.add_column(&element, table)?;
                    let beside = element.children();
                    clauses.extend(beside.map(|clause| (clause, Some(column.clone()))));
                }
                K::LIKE_CLAUSE => likes.push(self.like_columns(&element, table)?),
                _ => clauses.push((element, None)),
            }
        }
        let is =
            |kinds: &'static [SyntaxKind]| move |clause: &&Clause| kinds.contains(&clause.0.kind());
        // Checks are named before keys, keys before references, whatever their order in the source.
        for (clause, column) in clauses
            .iter()
            .filter(is(&[K::CHECK_CONSTRAINT, K::NOT_NULL_CONSTRAINT]))
        {
            self.add_constraint(clause, table, column.as_deref())?;
        }
        if is_partition {
            self.follow_partitioned_parent(table);
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
            self.add_named_constraint(&clause, table, column.as_deref(), given)?;
        }
        for like in &likes {
            self.like_the_rest(like, table)?;
        }
        for (clause, column) in clauses
            .iter()
            .filter(is(&[K::FOREIGN_KEY_CONSTRAINT, K::REFERENCES_CONSTRAINT]))
        {
            self.add_constraint(clause, table, column.as_deref())?;
        }
        Ok(())
    }

    /// A table as its children have it: its sequences stay its own.
    pub(super) fn as_inherited(&mut self, table: &Name) -> Relation {
        let mut parent = self.table(table).clone();
        for column in &mut parent.columns {
            if let Fill::Serial { sequence } = &column.fill {
                column.fill = Fill::from_sequence(sequence, false);
            }
        }
        parent
    }

    /// The composite type that `OF` names.
    pub(super) fn composite(&self, clause: &SyntaxNode) -> Result<Name> {
        Ok(data_type::child_type(self, clause)?.data_type.name)
    }

    pub(super) fn columns_of_type(
        &self,
        node: &SyntaxNode,
        composite: &Name,
    ) -> Result<Vec<Column>> {
        let Some(TypeKind::Composite { attributes }) =
            self.catalog.types.get(composite).map(|found| &found.kind)
        else {
            let why = format!("{} is no composite type", composite.name);
            return Err(Refused::new(node, why));
        };
        let columns = attributes
            .iter()
            .map(|(name, data_type)| Column::new(name.clone(), data_type.clone()));
        Ok(columns.collect())
    }

    /// A table that is known to be there, because it was found or made a moment ago.
    pub(super) fn table(&mut self, name: &Name) -> &mut Relation {
        self.catalog
            .relations
            .entry(name.clone())
            .or_insert_with(|| Relation::new(name.clone(), RelationKind::Table))
    }
}

impl Relation {
    pub(super) fn new(name: Name, kind: RelationKind) -> Self {
        Self {
            name,
            kind,
            columns: Vec::new(),
            constraints: Vec::new(),
            indexes: Vec::new(),
            parents: Vec::new(),
            of_type: None,
            partition_by: None,
            partition_bound: None,
            comment: None,
            attached: Attached::default(),
        }
    }

    /// Takes over what a child has from its parent: columns, defaults, NOT NULL, checks.
    pub(super) fn inherit(&mut self, parent: &Self, is_partition: bool) {
        for column in &parent.columns {
            match self.columns.iter_mut().find(|own| own.name == column.name) {
                // A default may come from the second parent too.
                Some(own) => {
                    own.not_null |= column.not_null;
                    if own.fill == Fill::Nothing {
                        own.fill = inherited(&column.fill, is_partition);
                    }
                }
                None => {
                    let fill = inherited(&column.fill, is_partition);
                    self.columns.push(Column {
                        fill,
                        comment: None,
                        ..column.clone()
                    });
                }
            }
        }
        for constraint in &parent.constraints {
            let is_inherited = matches!(
                constraint.kind,
                ConstraintKind::Check {
                    no_inherit: false,
                    ..
                }
            );
            if is_inherited
                && !self
                    .constraints
                    .iter()
                    .any(|own| own.name == constraint.name)
            {
                let mut constraint = constraint.clone();
                constraint.comment = None;
                // The child is empty, so what the parent's rows may break holds in it.
                constraint.validated = constraint.enforced;
                self.constraints.push(constraint);
            }
        }
    }
}

/// What fills a column of a child: an identity stays the parent's, but for partitions.
fn inherited(fill: &Fill, is_partition: bool) -> Fill {
    match fill {
        Fill::Identity { .. } if !is_partition => Fill::Nothing,
        fill => fill.clone(),
    }
}

/// The tables whose columns this one has too.
fn parents(node: &SyntaxNode) -> Vec<SyntaxNode> {
    [SyntaxKind::PARTITION_OF, SyntaxKind::INHERITS]
        .into_iter()
        .filter_map(|kind| child(node, kind))
        .flat_map(|clause| children(&clause, SyntaxKind::TABLE_NAME_REF).collect::<Vec<_>>())
        .collect()
}

/// What stands behind PARTITION BY: `range (a, lower(b))`.
fn partition_key(clause: &SyntaxNode) -> String {
    let whole = text(clause);
    let key = bowline_sql::tokens(&whole).nth(2);
    key.map_or_else(String::new, |key| {
        bowline_sql::one_line(&whole[key.start()..])
    })
}

/// The bound of a partition, if this is one.
pub(super) fn bound(node: &SyntaxNode) -> Option<String> {
    use SyntaxKind as K;
    let is_bound = matches!(
        node.kind(),
        K::PARTITION_FOR_VALUES_IN
            | K::PARTITION_FOR_VALUES_FROM
            | K::PARTITION_FOR_VALUES_WITH
            | K::PARTITION_DEFAULT
    );
    (is_bound && !is_off(node.kind())).then(|| text(node))
}

/// A constraint's clause, and the column that it stands beside.
type Clause = (SyntaxNode, Option<String>);

/// PostgreSQL makes one index of keys that are alike in one statement: the primary key comes first, and the
/// first that is named gives its name.
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
        let options = super::constraint::deferral(clause);
        let nulls = super::constraint::nulls_not_distinct(clause);
        (clause.kind() != K::EXCLUDE_CONSTRAINT).then_some((
            columns,
            included,
            [options.0, options.1, nulls],
        ))
    };
    let mut kept: Vec<(Clause, Option<String>)> = Vec::new();
    for clause in clauses {
        let given = super::constraint::given_name(&clause.0);
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

/// The columns of INCLUDE of a constraint.
pub(super) fn child_include(clause: &SyntaxNode) -> Vec<String> {
    below(clause, SyntaxKind::CONSTRAINT_INCLUDE_CLAUSE)
        .next()
        .map(|include| column_list(&include, SyntaxKind::COLUMN_REF_LIST))
        .unwrap_or_default()
}

pub(super) fn exists(node: &SyntaxNode, table: &Name) -> Refused {
    Refused::new(
        node,
        format!(
            "there is a relation {} already, so PostgreSQL refuses this",
            table.name
        ),
    )
    .do_this("give it another name, or drop the earlier one first")
    .raises("duplicate_table")
}

/// The names in a parenthesised list of columns.
pub(super) fn column_list(node: &SyntaxNode, list: SyntaxKind) -> Vec<String> {
    below(node, list)
        .take(1)
        .flat_map(|list| {
            children(&list, SyntaxKind::COLUMN_NAME_REF)
                .map(|column| name(&column))
                .collect::<Vec<_>>()
        })
        .collect()
}

/// The collation that a COLLATE clause names, without its schema if that is PostgreSQL's own.
pub(super) fn collation(node: &SyntaxNode) -> Option<String> {
    collation_of(&child(node, SyntaxKind::COLLATE)?)
}

/// The collation of a COLLATE clause itself.
pub(super) fn collation_of(clause: &SyntaxNode) -> Option<String> {
    let reference = child(clause, SyntaxKind::COLLATION_REF)?;
    let parts = path(&reference);
    let named = parts.last().cloned()?;
    (named != "default").then_some(named)
}
