//! CREATE TABLE, and the columns it has in common with ALTER TABLE .. ADD COLUMN.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use super::refusal::{Refused, Result};
use super::tree::{child, child_name, children, expression, has, name, text};
use super::{Replay, data_type};
use crate::catalog::{Column, Fill, Name, Relation, RelationKind};

impl Replay {
    pub(super) fn create_table(&mut self, node: &SyntaxNode) -> Result<()> {
        use SyntaxKind as K;
        let table_name = child(node, K::TABLE_NAME)
            .ok_or_else(|| Refused::new(node, "the table's name is not given"))?;
        let table = self.new_name(&table_name);
        if has(node, K::TEMP) {
            self.temporary.insert(table.name);
            return Ok(());
        }
        if self.catalog.relations.contains_key(&table) {
            return if has(node, K::IF_NOT_EXISTS) {
                Ok(())
            } else {
                Err(exists(node, &table))
            };
        }
        if has(node, K::OF_TYPE) {
            return Err(Refused::new(
                node,
                "replay does not follow CREATE TABLE .. OF yet",
            ));
        }
        let kind = match (
            node.kind() == K::CREATE_FOREIGN_TABLE,
            child(node, K::PARTITION_OF),
            has(node, K::PARTITION_BY),
        ) {
            (true, None, _) => RelationKind::ForeignTable,
            (_, Some(_), _) => RelationKind::Partition,
            (false, None, true) => RelationKind::PartitionedTable,
            (false, None, false) => RelationKind::Table,
        };
        let mut relation = Relation::new(table.clone(), kind);
        for parent in self.parents(node) {
            relation
                .columns
                .extend(self.relation_mut(&parent)?.columns.clone());
        }
        self.catalog.relations.insert(table.clone(), relation);
        let built = self.table_elements(node, &table);
        if built.is_err() {
            self.catalog.relations.remove(&table);
        }
        built
    }

    /// The tables whose columns this one has too.
    fn parents(&self, node: &SyntaxNode) -> Vec<SyntaxNode> {
        use SyntaxKind as K;
        [K::PARTITION_OF, K::INHERITS]
            .into_iter()
            .filter_map(|kind| child(node, kind))
            .flat_map(|clause| children(&clause, K::TABLE_NAME_REF).collect::<Vec<_>>())
            .collect()
    }

    fn table_elements(&mut self, node: &SyntaxNode, table: &Name) -> Result<()> {
        use SyntaxKind as K;
        let Some(elements) = child(node, K::TABLE_ARG_LIST) else {
            return Ok(());
        };
        let mut constraints = Vec::new();
        for element in elements.children() {
            match element.kind() {
                K::COLUMN => {
                    let column = self.add_column(&element, table)?;
                    constraints.extend(
                        element
                            .children()
                            .map(|clause| (clause, Some(column.clone()))),
                    );
                }
                K::LIKE_CLAUSE => self.like(&element, table)?,
                _ => constraints.push((element, None)),
            }
        }
        // PostgreSQL names checks first, then keys, then references, whatever their order in the source.
        constraints.sort_by_key(|(clause, _)| match clause.kind() {
            K::CHECK_CONSTRAINT => 0,
            K::PRIMARY_KEY_CONSTRAINT => 1,
            K::FOREIGN_KEY_CONSTRAINT | K::REFERENCES_CONSTRAINT => 3,
            _ => 2,
        });
        without_repeated_keys(constraints)
            .iter()
            .try_for_each(|(clause, column)| self.add_constraint(clause, table, column.as_deref()))
    }

    /// The columns of another table, and with INCLUDING what else is asked for.
    fn like(&mut self, node: &SyntaxNode, table: &Name) -> Result<()> {
        let model_name = child(node, SyntaxKind::RELATION_NAME_REF)
            .ok_or_else(|| Refused::new(node, "no table is named"))?;
        let including = text(node).to_ascii_uppercase();
        let takes = |what: &str| {
            including.contains("INCLUDING ALL") || including.contains(&format!("INCLUDING {what}"))
        };
        if takes("CONSTRAINTS") || takes("INDEXES") {
            return Err(Refused::new(
                node,
                "replay does not follow LIKE .. INCLUDING ALL, CONSTRAINTS or INDEXES yet",
            )
            .do_this("write the keys and checks out"));
        }
        let mut columns = self.relation_mut(&model_name)?.columns.clone();
        for column in &mut columns {
            let keep = match column.fill {
                Fill::Default(_) | Fill::Serial => takes("DEFAULTS"),
                Fill::Identity { .. } => takes("IDENTITY"),
                Fill::Generated { .. } => takes("GENERATED"),
                Fill::Nothing => true,
            };
            if !keep {
                column.fill = Fill::Nothing;
            }
            column.comment = column.comment.take().filter(|_| takes("COMMENTS"));
        }
        self.table(table).columns.extend(columns);
        Ok(())
    }

    /// Adds the column that this defines, without its constraints, and gives its name.
    pub(super) fn add_column(&mut self, node: &SyntaxNode, table: &Name) -> Result<String> {
        let column_name = child_name(node, SyntaxKind::COLUMN_NAME)
            .ok_or_else(|| Refused::new(node, "the column's name is not given"))?;
        let type_node = node
            .children()
            .find(|child| data_type::is_type(child.kind()));
        let type_node = type_node.ok_or_else(|| {
            Refused::new(
                node,
                format!("the type of column {column_name} is not known"),
            )
        })?;
        let typed = data_type::read(self, &type_node)?;
        let mut column = Column {
            name: column_name.clone(),
            data_type: typed.data_type,
            not_null: typed.is_serial,
            fill: if typed.is_serial {
                Fill::Serial
            } else {
                Fill::Nothing
            },
            collation: None,
            comment: None,
        };
        for clause in node.children() {
            constrain_column(&mut column, &clause)?;
        }
        if matches!(column.fill, Fill::Serial | Fill::Identity { .. }) {
            let sequence = self.free_name(table, &column_name, "seq", |_| false);
            let full = Name {
                schema: table.schema.clone(),
                name: sequence,
            };
            let owner = Some((table.clone(), column_name.clone()));
            let data_type = column.data_type.name.name.clone();
            self.insert_sequence(full, &data_type, owner);
        }
        let columns = &mut self.table(table).columns;
        match columns.iter_mut().find(|other| other.name == column_name) {
            // A child table may say again, and more strictly, what its parent has.
            Some(inherited) => *inherited = column,
            None => columns.push(column),
        }
        Ok(column_name)
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
        }
    }
}

/// A constraint's clause, and the column that it stands beside.
type Clause = (SyntaxNode, Option<String>);

/// PostgreSQL makes one index of keys over the same columns in one statement: the first stays, under
/// whichever name is given.
fn without_repeated_keys(clauses: Vec<Clause>) -> Vec<Clause> {
    use SyntaxKind as K;
    let key = |(clause, column): &Clause| -> Option<Vec<String>> {
        let is_key = matches!(
            clause.kind(),
            K::PRIMARY_KEY_CONSTRAINT | K::UNIQUE_CONSTRAINT
        );
        let columns = || {
            let listed = column_list(clause, K::CONSTRAINT_COLUMN_REF_LIST);
            column.clone().map_or(listed, |column| vec![column])
        };
        is_key.then(columns)
    };
    let is_named = |(clause, _): &Clause| has(clause, K::CONSTRAINT_NAME_CLAUSE);
    let mut kept: Vec<Clause> = Vec::new();
    for clause in clauses {
        let earlier = key(&clause).and_then(|columns| {
            kept.iter_mut()
                .find(|other| key(other).as_ref() == Some(&columns))
        });
        match earlier {
            None => kept.push(clause),
            Some(earlier)
                if is_named(&clause)
                    && !is_named(earlier)
                    && earlier.0.kind() == clause.0.kind() =>
            {
                *earlier = clause;
            }
            Some(_) => {}
        }
    }
    kept
}

/// What a clause says of the column alone.
fn constrain_column(column: &mut Column, clause: &SyntaxNode) -> Result<()> {
    use SyntaxKind as K;
    match clause.kind() {
        K::NOT_NULL_CONSTRAINT => column.not_null = true,
        K::NULL_CONSTRAINT => column.not_null = false,
        K::DEFAULT_CONSTRAINT => {
            let default = expression(clause)
                .ok_or_else(|| Refused::new(clause, "the default is not given"))?;
            column.fill = default_fill(&default);
        }
        K::GENERATED_CONSTRAINT => {
            column.fill = generated(clause)?;
            column.not_null |= matches!(column.fill, Fill::Identity { .. });
        }
        _ => {}
    }
    Ok(())
}

/// `DEFAULT NULL` is no default.
pub(super) fn default_fill(expression: &SyntaxNode) -> Fill {
    let text = text(expression);
    if text.eq_ignore_ascii_case("null") {
        Fill::Nothing
    } else {
        Fill::Default(text)
    }
}

/// `GENERATED .. AS IDENTITY` or `GENERATED ALWAYS AS (..)`.
pub(super) fn generated(clause: &SyntaxNode) -> Result<Fill> {
    use SyntaxKind as K;
    let words: Vec<String> = super::tree::tokens(clause)
        .map(|token| token.text().to_ascii_uppercase())
        .collect();
    let says = |word: &str| words.iter().any(|other| other == word);
    if says("IDENTITY") {
        return Ok(Fill::Identity {
            always: says("ALWAYS"),
        });
    }
    let body = clause
        .children()
        .find(|child| child.kind() != K::CONSTRAINT_NAME_CLAUSE);
    let found = body.as_ref().and_then(expression);
    let found = found.ok_or_else(|| {
        Refused::new(
            clause,
            "the expression of the generated column is not given",
        )
    })?;
    // PostgreSQL 18 makes it VIRTUAL where nothing is said, and earlier ones do not allow that.
    Ok(Fill::Generated {
        expression: text(&found),
        stored: says("STORED"),
    })
}

fn exists(node: &SyntaxNode, table: &Name) -> Refused {
    Refused::new(
        node,
        format!(
            "there is a relation {} already, so PostgreSQL refuses this",
            table.name
        ),
    )
    .do_this("give it another name, or drop the earlier one first")
}

/// The names in a parenthesised list of columns.
pub(super) fn column_list(node: &SyntaxNode, list: SyntaxKind) -> Vec<String> {
    let lists = node.descendants().filter(|child| child.kind() == list);
    lists
        .take(1)
        .flat_map(|list| {
            children(&list, SyntaxKind::COLUMN_NAME_REF)
                .map(|column| name(&column))
                .collect::<Vec<_>>()
        })
        .collect()
}
