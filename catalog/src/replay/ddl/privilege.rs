//! GRANT, REVOKE and ALTER DEFAULT PRIVILEGES.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use crate::privilege::Privilege;
use crate::replay::refusal::Result;
use crate::replay::state::State;
use crate::replay::state::privileges::{Default, Kind, Target, change, kind_of};
use crate::replay::syntax::routine;
use crate::replay::syntax::tree::{below, child, children, name, path, tokens};

/// Applies GRANT or REVOKE of privileges on objects. Role memberships are not recorded.
pub(crate) fn grant(state: &mut State, node: &SyntaxNode) -> Result<()> {
    use SyntaxKind as K;
    let Some(objects) = child(node, K::ON_PRIVILEGE_OBJECTS_CLAUSE) else {
        return Ok(());
    };
    let Some(objects) = objects.children().next() else {
        return Ok(());
    };
    let (kind, targets) = granted_objects(state, &objects);
    let Some(kind) = kind else {
        return Ok(());
    };
    for target in targets {
        let kind = match target {
            // A sequence can be named as a table.
            Target::Sequence(_) => Kind::Sequence,
            _ => kind,
        };
        let lines = lines(node, kind)?;
        let is_revoke = node.kind() == K::REVOKE;
        let is_option = below(node, K::GRANT_OPTION_FOR).next().is_some();
        if let Some(privileges) = state.privileges_of(&target) {
            for line in lines {
                change(privileges, line, kind, is_revoke, is_option);
            }
        }
    }
    Ok(())
}

fn granted_objects(state: &State, objects: &SyntaxNode) -> (Option<Kind>, Vec<Target>) {
    use SyntaxKind as K;
    let tables = |kind: SyntaxKind| {
        below(objects, kind)
            .map(|reference| path(&reference))
            .collect::<Vec<_>>()
    };
    match objects.kind() {
        K::PRIVILEGE_DEFAULT | K::PRIVILEGE_TABLE => {
            let mut names = tables(K::RELATION_NAME_REF);
            names.extend(tables(K::TABLE_NAME_REF));
            let targets = names.iter().filter_map(|parts| {
                let table = state.find_relation(parts).map(Target::Relation);
                table.or_else(|| state.find_sequence(parts).map(Target::Sequence))
            });
            (Some(Kind::Table), targets.collect())
        }
        K::PRIVILEGE_SEQUENCE => {
            let names = tables(K::SEQUENCE_REF);
            let targets = names.iter().filter_map(|parts| state.find_sequence(parts));
            (
                Some(Kind::Sequence),
                targets.map(Target::Sequence).collect(),
            )
        }
        K::PRIVILEGE_SCHEMA => {
            let schemas = below(objects, K::SCHEMA_REF).map(|schema| name(&schema));
            (Some(Kind::Schema), schemas.map(Target::Schema).collect())
        }
        K::PRIVILEGE_FUNCTION | K::PRIVILEGE_PROCEDURE | K::PRIVILEGE_ROUTINE => {
            let signatures = objects
                .descendants()
                .filter(|part| routine::is_signature(part.kind()));
            let targets = signatures.filter_map(|signature| {
                let (key, position) = state.find_function(&signature).ok()?;
                Some(Target::Routine(key, position))
            });
            (Some(Kind::Routine), targets.collect())
        }
        K::PRIVILEGE_ALL_TABLES_IN_SCHEMA => {
            (Some(Kind::Table), all_in(state, objects, Kind::Table))
        }
        K::PRIVILEGE_ALL_SEQUENCES_IN_SCHEMA => {
            (Some(Kind::Sequence), all_in(state, objects, Kind::Sequence))
        }
        K::PRIVILEGE_ALL_FUNCTIONS_IN_SCHEMA
        | K::PRIVILEGE_ALL_PROCEDURES_IN_SCHEMA
        | K::PRIVILEGE_ALL_ROUTINES_IN_SCHEMA => {
            (Some(Kind::Routine), all_in(state, objects, Kind::Routine))
        }
        // Privileges on databases, types, languages and so on are not recorded.
        _ => (None, Vec::new()),
    }
}

fn all_in(state: &State, objects: &SyntaxNode, kind: Kind) -> Vec<Target> {
    let schemas: Vec<String> = below(objects, SyntaxKind::SCHEMA_REF)
        .map(|schema| name(&schema))
        .collect();
    let all = state.all_objects().into_iter();
    all.filter(|(name, target)| schemas.contains(&name.schema) && kind_of(target) == kind)
        .map(|(_, target)| target)
        .collect()
}

/// Applies ALTER DEFAULT PRIVILEGES of the role that runs the migrations.
pub(crate) fn default_privileges(state: &mut State, node: &SyntaxNode) -> Result<()> {
    use SyntaxKind as K;
    let is_of_others = child(node, K::FOR_ROLES)
        .is_some_and(|roles| below(&roles, K::ROLE_NAME_REF).next().is_some());
    let kind = node.descendants().find_map(|part| match part.kind() {
        K::PRIVILEGE_TARGET_TABLES => Some(Kind::Table),
        K::PRIVILEGE_TARGET_SEQUENCES => Some(Kind::Sequence),
        K::PRIVILEGE_TARGET_SCHEMAS => Some(Kind::Schema),
        K::PRIVILEGE_TARGET_FUNCTIONS | K::PRIVILEGE_TARGET_ROUTINES => Some(Kind::Routine),
        _ => None,
    });
    let Some(kind) = kind else {
        return Ok(());
    };
    let schemas = child(node, K::IN_SCHEMAS);
    let schemas: Vec<String> = schemas
        .iter()
        .flat_map(|schemas| below(schemas, K::SCHEMA_REF))
        .map(|schema| name(&schema))
        .collect();
    if is_of_others {
        state.add_default(Default {
            kind,
            schemas,
            grants: Vec::new(),
            revokes: Vec::new(),
            unknown: Some(
                "whether the role of an ALTER DEFAULT PRIVILEGES creates it is not known"
                    .to_owned(),
            ),
        });
        return Ok(());
    }
    let lines = lines(node, kind)?;
    let is_revoke = below(node, K::REVOKE_DEFAULT_PRIVILEGES).next().is_some();
    if !is_revoke {
        state.add_default(Default {
            kind,
            schemas,
            grants: lines,
            revokes: Vec::new(),
            unknown: None,
        });
        return Ok(());
    }
    state.revoke_default(kind, &schemas, &lines);
    // The initial privileges of PUBLIC can be revoked only for all schemas.
    if schemas.is_empty() && kind == Kind::Routine {
        state.add_default(Default {
            kind,
            schemas,
            grants: Vec::new(),
            revokes: lines,
            unknown: None,
        });
    }
    Ok(())
}

/// Returns the privileges that ALL stands for.
fn all(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Table => &[
            "SELECT",
            "INSERT",
            "UPDATE",
            "DELETE",
            "TRUNCATE",
            "REFERENCES",
            "TRIGGER",
        ],
        Kind::Sequence => &["SELECT", "UPDATE", "USAGE"],
        Kind::Schema => &["CREATE", "USAGE"],
        Kind::Routine => &["EXECUTE"],
    }
}

/// Returns the privileges that a statement names, for each of its roles.
fn lines(node: &SyntaxNode, kind: Kind) -> Result<Vec<Privilege>> {
    use SyntaxKind as K;
    let grantable = below(node, K::GRANT_OPTION).next().is_some();
    let mut what: Vec<(String, Option<String>)> = Vec::new();
    let commands: Vec<SyntaxNode> = below(node, K::REVOKE_COMMAND).collect();
    for command in &commands {
        let columns = child(command, K::COLUMN_REF_LIST);
        let columns: Vec<String> = columns
            .iter()
            .flat_map(|list| children(list, K::COLUMN_NAME_REF))
            .map(|column| name(&column))
            .collect();
        let word = tokens(command).next();
        let word = word.map(|word| word.text().to_ascii_uppercase());
        let word = word.unwrap_or_default();
        let words: Vec<String> = if word == "ALL" {
            let of_columns = ["SELECT", "INSERT", "UPDATE", "REFERENCES"];
            let all = if columns.is_empty() {
                all(kind)
            } else {
                &of_columns[..]
            };
            all.iter().map(|word| (*word).to_owned()).collect()
        } else {
            vec![word]
        };
        for word in words.into_iter().filter(|word| word != "MAINTAIN") {
            if columns.is_empty() {
                what.push((word, None));
            } else {
                let columns = columns.iter().cloned();
                what.extend(columns.map(|column| (word.clone(), Some(column))));
            }
        }
    }
    if commands.is_empty() {
        let columns: Vec<String> = below(node, K::COLUMN_REF_LIST)
            .flat_map(|list| children(&list, K::COLUMN_NAME_REF).collect::<Vec<_>>())
            .map(|column| name(&column))
            .collect();
        if columns.is_empty() {
            what.extend(all(kind).iter().map(|word| ((*word).to_owned(), None)));
        }
        for column in columns {
            let all = ["SELECT", "INSERT", "UPDATE", "REFERENCES"].into_iter();
            what.extend(all.map(|word| (word.to_owned(), Some(column.clone()))));
        }
    }
    let mut lines = Vec::new();
    let list = below(node, K::ROLE_REF_LIST).last();
    for role in list.iter().flat_map(|list| below(list, K::ROLE_REF)) {
        // The role that runs the migration owns the objects that it creates.
        if below(&role, K::ROLE_NAME_REF).next().is_none() {
            continue;
        }
        let role = name(&role);
        lines.extend(what.iter().map(|(privilege, column)| Privilege {
            role: role.clone(),
            privilege: privilege.clone(),
            column: column.clone(),
            grantable,
            revoked: false,
        }));
    }
    Ok(lines)
}
