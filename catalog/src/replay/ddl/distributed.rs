//! What Citus refuses of a distributed table, in its own words: keys that it cannot enforce across
//! shards, foreign keys whose rows are on different nodes, triggers, and actions of ALTER TABLE.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use crate::replay::refusal::{BY_CITUS, Refused, Result};
use crate::replay::state::State;
use crate::replay::syntax::clause::given_name;
use crate::replay::syntax::tree::{below, child_nodes, has_below, text, tokens};
use crate::{
    Column, Constraint, ConstraintKind, Distribution, DistributionKind, Fill, Index, IndexKey,
    Name, ReferentialAction, Relation,
};

/// Returns the refusal of a statement that Citus refuses.
pub(crate) fn refuses(node: &SyntaxNode, words: &str, hint: &str) -> Refused {
    let mut refused = Refused::new(node, format!("{BY_CITUS}{words}")).hint(hint);
    refused.is_error = true;
    refused
}

/// Words of Citus, with a hint.
type Objection = (String, &'static str);

/// Refuses to distribute a table that Citus would not distribute this way.
pub(crate) fn may_be(
    state: &State,
    node: &SyntaxNode,
    table: &Name,
    distribution: &Distribution,
) -> Result<()> {
    let Some(relation) = state.catalog().relations.get(table) else {
        return Ok(());
    };
    if !relation.attached.triggers.is_empty() && !state.citus_has("citus.enable_unsafe_triggers") {
        let words = format!(
            "cannot distribute relation \"{}\" because it has triggers",
            table.name
        );
        let hint = "drop its triggers, or distribute a table that has none";
        return Err(refuses(node, &words, hint));
    }
    match objection(state, relation, distribution, Some(table)) {
        Some((words, hint)) => Err(refuses(node, &words, hint)),
        None => Ok(()),
    }
}

/// Follows what a statement changes of distributed tables, and refuses what Citus does.
///
/// `columns` are the distribution columns before the statement.
pub(crate) fn settle(
    state: &mut State,
    node: &SyntaxNode,
    columns: &[(Name, Column)],
) -> Result<()> {
    if !state.uses_citus() {
        return Ok(());
    }
    state.follow_distribution();
    if node.kind() == SyntaxKind::ALTER_TABLE {
        alter_table(state, node, columns)?;
    }
    let found = state.catalog().relations.values().find_map(|relation| {
        let objection = match &relation.distribution {
            Some(distribution) => objection(state, relation, distribution, None),
            None => inherits(state, relation),
        };
        Some((relation.name.clone(), objection?))
    });
    match found {
        Some((table, (words, hint))) if state.note_refused_by_citus(&table) => {
            Err(refuses(node, &words, hint))
        }
        _ => Ok(()),
    }
}

/// Returns the first objection of Citus to a table that is distributed in this way. `as_table` is
/// the table itself while it is not distributed yet.
fn objection(
    state: &State,
    relation: &Relation,
    distribution: &Distribution,
    as_table: Option<&Name>,
) -> Option<Objection> {
    let kind = distribution.kind;
    if kind != DistributionKind::Local
        && !relation.attached.triggers.is_empty()
        && !state.citus_has("citus.enable_unsafe_triggers")
    {
        let tables = match kind {
            DistributionKind::Reference => "reference tables",
            _ => "distributed tables",
        };
        let words = format!("triggers are not supported on {tables}");
        return Some((words, "do in the program what the trigger does"));
    }
    if let Some(column) = &distribution.column
        && matches!(kind, DistributionKind::Hash | DistributionKind::Range)
        && !state.citus_has("citus.allow_unsafe_constraints")
    {
        let mut indexes = relation.indexes.iter();
        if let Some(index) = indexes.find(|index| !may_be_unique(relation, index, column)) {
            return Some(not_unique(relation, index));
        }
    }
    if kind.is_sharded() && has_policy_with_query(relation) {
        let words = "cannot create policy: Subqueries are not supported in policies on \
                     distributed tables";
        return Some((words.to_owned(), "write a policy without a subquery"));
    }
    if relation.partition_bound.is_some() {
        return None;
    }
    let mut constraints = relation.constraints.iter();
    constraints
        .find_map(|constraint| foreign_key(state, relation, distribution, constraint, as_table))
}

/// Returns the objection of Citus to a table that is not distributed.
fn inherits(state: &State, relation: &Relation) -> Option<Objection> {
    let mut parents = relation.parents.iter();
    let inherits = parents.any(|parent| state.distribution(parent).is_some());
    inherits.then(|| {
        let words = "non-distributed tables cannot inherit distributed tables";
        (words.to_owned(), "create a table without INHERITS")
    })
}

/// Returns true if Citus can enforce an index: it is not unique, or the distribution column is one
/// of its keys.
fn may_be_unique(relation: &Relation, index: &Index, column: &str) -> bool {
    let excludes = relation.excludes(index);
    if !index.unique && !excludes {
        return true;
    }
    let constraint = relation.constraint_of(&index.name);
    let operators: &[String] = match constraint.map(|constraint| &constraint.kind) {
        Some(ConstraintKind::Exclude { operators }) => operators,
        _ => &[],
    };
    index.keys.iter().enumerate().any(|(position, key)| {
        let is_equality = operators
            .get(position)
            .is_none_or(|operator| operator == "=");
        matches!(key, IndexKey::Column { name, .. } if name == column) && is_equality
    })
}

fn not_unique(relation: &Relation, index: &Index) -> Objection {
    let hint = "add the distribution column to the key";
    let words = match relation.constraint_of(&index.name) {
        Some(_) => format!(
            "cannot create constraint on \"{}\": Distributed relations cannot have UNIQUE, \
             EXCLUDE, or PRIMARY KEY constraints that do not include the partition column (with \
             an equality operator if EXCLUDE)",
            relation.name.name
        ),
        None => format!(
            "creating unique indexes on non-partition columns is currently unsupported ({})",
            index.name
        ),
    };
    (words, hint)
}

fn has_policy_with_query(relation: &Relation) -> bool {
    relation.attached.policies.iter().any(|policy| {
        let codes = [&policy.using, &policy.with_check].into_iter().flatten();
        let mut texts = codes.filter_map(|code| code.text.as_deref());
        texts.any(|text| bowline_sql::tokens(text).any(|token| token.is_word("select")))
    })
}

/// Returns the objection of Citus to a foreign key of a table.
fn foreign_key(
    state: &State,
    relation: &Relation,
    distribution: &Distribution,
    constraint: &Constraint,
    as_table: Option<&Name>,
) -> Option<Objection> {
    use DistributionKind::{Local, Reference, SingleShard};
    let ConstraintKind::ForeignKey {
        columns,
        references,
        referenced_columns,
        on_delete,
        on_update,
        ..
    } = &constraint.kind
    else {
        return None;
    };
    let name = &constraint.name;
    let sets_default = matches!(on_delete, ReferentialAction::SetDefault(_))
        || matches!(on_update, ReferentialAction::SetDefault(_));
    if sets_default
        && columns
            .iter()
            .any(|column| is_from_sequence(relation, column))
    {
        let words = format!(
            "cannot create foreign key constraint since Citus does not support ON DELETE / UPDATE \
             SET DEFAULT actions on the columns that default to sequences ({name})"
        );
        return Some((words, "use another action"));
    }
    let referenced = if *references == relation.name || as_table == Some(references) {
        Some(distribution)
    } else {
        state.distribution(references)
    };
    let is_local = |kind| matches!(kind, Local | Reference);
    let Some(referenced) = referenced else {
        return match distribution.kind {
            Local => None,
            Reference => local_action(name, on_delete, on_update),
            _ => Some((
                format!(
                    "referenced table \"{}\" must be a distributed table or a reference table \
                     ({name})",
                    references.name
                ),
                "distribute the referenced table first, or make it a reference table",
            )),
        };
    };
    match (distribution.kind, referenced.kind) {
        (Reference, Local) => return local_action(name, on_delete, on_update),
        (from, to) if is_local(from) && is_local(to) => return None,
        (from, _) if is_local(from) => {
            let words = format!(
                "cannot create foreign key constraint since foreign keys from reference tables and \
                 local tables to distributed tables are not supported ({name})"
            );
            let hint = "distribute this table too, or drop the foreign key";
            return Some((words, hint));
        }
        (_, Reference) => {}
        _ if distribution.group.is_none() || distribution.group != referenced.group => {
            let words = format!(
                "cannot create foreign key constraint since relations are not colocated or not \
                 referencing a reference table ({name})"
            );
            let hint = "co-locate the two tables, or make the referenced one a reference table";
            return Some((words, hint));
        }
        _ => {}
    }
    let position = |columns: &[String], of: &Distribution| {
        let column = of.column.as_ref()?;
        columns.iter().position(|other| other == column)
    };
    let here = position(columns, distribution);
    if here.is_some()
        && let Some(objection) = action_on_column(name, on_delete, on_update)
    {
        return Some(objection);
    }
    let is_on_column = here.is_some() && here == position(referenced_columns, referenced);
    if !matches!(referenced.kind, Reference | SingleShard) && !is_on_column {
        let words = format!(
            "cannot create foreign key constraint: Foreign keys are supported in two cases, either \
             in between two colocated tables including partition column in the same ordinal in \
             the both tables or from distributed to reference tables ({name})"
        );
        return Some((
            words,
            "add the distribution columns of both tables to the foreign key",
        ));
    }
    None
}

fn local_action(
    name: &str,
    on_delete: &ReferentialAction,
    on_update: &ReferentialAction,
) -> Option<Objection> {
    let is_plain = |action: &ReferentialAction| {
        matches!(
            action,
            ReferentialAction::NoAction | ReferentialAction::Restrict
        )
    };
    if is_plain(on_delete) && is_plain(on_update) {
        return None;
    }
    let words = format!(
        "cannot define foreign key constraint, foreign keys from reference tables to local tables \
         can only be defined with NO ACTION or RESTRICT behaviors ({name})"
    );
    Some((words, "make the referenced table a reference table too"))
}

fn action_on_column(
    name: &str,
    on_delete: &ReferentialAction,
    on_update: &ReferentialAction,
) -> Option<Objection> {
    use ReferentialAction::{Cascade, SetDefault, SetNull};
    let words = if matches!(on_delete, SetNull(_) | SetDefault(_)) {
        "SET NULL or SET DEFAULT is not supported in ON DELETE operation when distribution key is \
         included in the foreign key constraint"
    } else if matches!(on_update, SetNull(_) | SetDefault(_) | Cascade) {
        "SET NULL, SET DEFAULT or CASCADE is not supported in ON UPDATE operation when \
         distribution key included in the foreign constraint"
    } else {
        return None;
    };
    let words = format!("cannot create foreign key constraint: {words} ({name})");
    Some((words, "use NO ACTION, RESTRICT or ON DELETE CASCADE"))
}

fn is_from_sequence(relation: &Relation, column: &str) -> bool {
    let mut columns = relation.columns.iter();
    columns.any(|other| other.name == column && matches!(other.fill, Fill::Serial { .. }))
}

/// Refuses the actions of ALTER TABLE that Citus refuses for a distributed table.
fn alter_table(state: &mut State, node: &SyntaxNode, columns: &[(Name, Column)]) -> Result<()> {
    for (table, before) in columns {
        let Some(relation) = state.catalog().relations.get(table) else {
            continue;
        };
        let now = relation.columns.iter().find(|column| {
            let distribution = relation.distribution.as_ref();
            distribution.is_some_and(|found| found.column.as_ref() == Some(&column.name))
        });
        let is_kept = now.is_some_and(|now| {
            let loses_not_null = before.not_null && !now.not_null;
            now.data_type == before.data_type && now.fill == before.fill && !loses_not_null
        });
        if !is_kept && relation.distribution.is_some() {
            state.note_refused_by_citus(&table.clone());
            return Err(refuses(
                node,
                "cannot execute ALTER TABLE command involving partition column",
                "change the column before the table is distributed, or undistribute the table first",
            ));
        }
    }
    let Some(altered) = super::alter_table::altered(state, node) else {
        return Ok(());
    };
    let kind = state.distribution(&altered).map(|found| found.kind);
    if kind.is_none_or(|kind| kind == DistributionKind::Local) {
        return Ok(());
    }
    let actions: Vec<SyntaxNode> = super::alter_table::actions(node).collect();
    let takes_triggers = state.citus_has("citus.enable_unsafe_triggers");
    let is_reference = kind == Some(DistributionKind::Reference);
    match actions.iter().find_map(|action| {
        let of_trigger = trigger_refused(action, is_reference).filter(|_| !takes_triggers);
        of_trigger.or_else(|| action_refused(action, actions.len()))
    }) {
        Some((words, hint)) => Err(refuses(node, &words, hint)),
        None => Ok(()),
    }
}

/// Returns the objection of Citus to an action on triggers, of which a distributed table has none.
fn trigger_refused(action: &SyntaxNode, is_reference: bool) -> Option<Objection> {
    use SyntaxKind as K;
    let is_of_trigger = matches!(
        action.kind(),
        K::ENABLE_TRIGGER
            | K::DISABLE_TRIGGER
            | K::ENABLE_ALWAYS_TRIGGER
            | K::ENABLE_REPLICA_TRIGGER
    );
    let tables = match is_reference {
        true => "reference tables",
        false => "distributed tables",
    };
    let words = format!("triggers are not supported on {tables}");
    is_of_trigger.then_some((words, "leave this out"))
}

/// Returns true if a column is added with a constraint that Citus needs a name for.
fn has_unnamed_constraint(action: &SyntaxNode, count: usize) -> bool {
    use SyntaxKind as K;
    let mut clauses = child_nodes(action);
    clauses.any(|clause| {
        let needs_name = match clause.kind() {
            K::CHECK_CONSTRAINT => true,
            // Citus names one if it is the only action.
            K::REFERENCES_CONSTRAINT => count > 1,
            _ => false,
        };
        needs_name && given_name(&clause).is_none()
    })
}

/// Returns the objection of Citus to one action among several.
fn action_refused(action: &SyntaxNode, count: usize) -> Option<Objection> {
    use SyntaxKind as K;
    const SEPARATE: &str = "write a statement of its own for each action";
    let unsupported = || {
        let words = "alter table command is currently unsupported";
        Some((
            words.to_owned(),
            "undistribute the table first, or leave this out",
        ))
    };
    match action.kind() {
        K::ADD_CONSTRAINT if count > 1 => {
            let words = "cannot execute ADD CONSTRAINT command with other subcommands";
            Some((words.to_owned(), SEPARATE))
        }
        K::ATTACH_PARTITION | K::DETACH_PARTITION if count > 1 => {
            let words = "cannot execute ATTACH or DETACH PARTITION command with other subcommands";
            Some((words.to_owned(), SEPARATE))
        }
        K::RENAME_CONSTRAINT => {
            let words = "renaming constraints belonging to distributed tables is currently \
                         unsupported";
            Some((words.to_owned(), "keep the name"))
        }
        K::ADD_COLUMN if has_unnamed_constraint(action, count) => {
            let words = "cannot execute ADD COLUMN command with PRIMARY KEY, UNIQUE, FOREIGN and \
                         CHECK constraints: Adding a column with a constraint in one command is \
                         not supported because all constraints in Citus must have explicit names";
            Some((words.to_owned(), "name it: CONSTRAINT .. CHECK (..)"))
        }
        K::DETACH_PARTITION if has_below(action, K::CONCURRENTLY_KW) => {
            let words = "ALTER TABLE .. DETACH PARTITION .. CONCURRENTLY commands are currently \
                         unsupported.";
            Some((words.to_owned(), "leave CONCURRENTLY out"))
        }
        K::ADD_COLUMN => {
            let words = "cannot execute ADD COLUMN commands involving serial pseudotypes or \
                         identity columns when metadata is synchronized to workers";
            let is_numbered = is_serial(action) || has_identity(action);
            is_numbered.then(|| (words.to_owned(), "add a column of type bigint"))
        }
        K::ALTER_COLUMN => {
            let mut options = child_nodes(action);
            let is_refused = options.any(|option| {
                matches!(
                    option.kind(),
                    K::SET_STATISTICS
                        | K::SET_STORAGE
                        | K::SET_EXPRESSION
                        | K::DROP_EXPRESSION
                        | K::ADD_GENERATED
                        | K::DROP_IDENTITY
                        | K::SET_GENERATED
                        | K::SET_GENERATED_OPTIONS
                        | K::SET_SEQUENCE_OPTION
                )
            });
            is_refused.then(unsupported).flatten()
        }
        K::INHERIT_TABLE
        | K::NO_INHERIT_TABLE
        | K::OF_TYPE
        | K::NOT_OF
        | K::CLUSTER_ON
        | K::SET_WITHOUT_CLUSTER
        | K::SET_TABLESPACE
        | K::ALTER_CONSTRAINT
        | K::ENABLE_RULE
        | K::DISABLE_RULE
        | K::ENABLE_REPLICA_RULE
        | K::ENABLE_ALWAYS_RULE => unsupported(),
        _ => None,
    }
}

/// Returns true if a column is added with `serial` or one of its like.
fn is_serial(action: &SyntaxNode) -> bool {
    const SERIAL: [&str; 6] = [
        "serial",
        "serial4",
        "bigserial",
        "serial8",
        "smallserial",
        "serial2",
    ];
    let mut nodes = action.children();
    nodes.any(|part| {
        let word = text(&part).to_ascii_lowercase();
        SERIAL.contains(&word.as_str())
    })
}

fn has_identity(action: &SyntaxNode) -> bool {
    let mut clauses = below(action, SyntaxKind::GENERATED_CONSTRAINT);
    clauses.any(|clause| tokens(&clause).any(|token| token.kind() == SyntaxKind::IDENTITY_KW))
}
