//! Changes of privileges.

use super::{Script, Step};
use crate::Catalog;
use crate::compare::Subject;
use crate::definition::quoted;
use crate::privilege::{Privilege, Privileges};

/// Grants and revokes privileges until an object has the expected ones.
pub(super) fn change(script: &mut Script, expected: &Catalog, actual: &Catalog, subject: &Subject) {
    let (new, old) = (
        privileges_of(expected, subject),
        privileges_of(actual, subject),
    );
    let on = match subject {
        Subject::Schema(name) => format!("SCHEMA {}", quoted(name)),
        Subject::Sequence(name) => format!("SEQUENCE {}", name.sql()),
        Subject::Relation(name) => format!("TABLE {}", name.sql()),
        Subject::Routine(_, _, signature) => format!("ROUTINE {signature}"),
        _ => return,
    };
    let owners = [&new.owner, &old.owner];
    let (new, old) = (new.of_others_than(&owners), old.of_others_than(&owners));
    let has_column = |privilege: &&Privilege| {
        let (Subject::Relation(name), Some(column)) = (subject, &privilege.column) else {
            return true;
        };
        let relation = expected.relations.get(name);
        relation.is_some_and(|relation| relation.columns.iter().any(|found| found.name == *column))
    };
    // The privileges on a column are dropped with the column.
    let revoked = old.iter().filter(|privilege| !new.contains(privilege));
    for privilege in revoked.filter(has_column) {
        grant_or_revoke(script, &on, privilege, privilege.revoked);
    }
    for privilege in new.iter().filter(|privilege| !old.contains(privilege)) {
        grant_or_revoke(script, &on, privilege, !privilege.revoked);
    }
}

/// Grants the privileges on a new object.
pub(super) fn grant_all(script: &mut Script, on: &str, privileges: &Privileges) {
    for privilege in &privileges.granted {
        grant_or_revoke(script, on, privilege, !privilege.revoked);
    }
}

/// Returns the privileges on an object.
fn privileges_of(catalog: &Catalog, subject: &Subject) -> Privileges {
    let found = match subject {
        Subject::Schema(name) => catalog.schema_privileges.get(name),
        Subject::Sequence(name) => catalog
            .sequences
            .get(name)
            .map(|sequence| &sequence.privileges),
        Subject::Relation(name) => {
            let relation = catalog.relations.get(name);
            relation.map(|relation| &relation.attached.privileges)
        }
        Subject::Routine(_, _, signature) => {
            let mut routines = catalog.routines.iter();
            let found = routines.find(|routine| routine.signature() == *signature);
            found.map(|routine| &routine.privileges)
        }
        _ => None,
    };
    found.cloned().unwrap_or_default()
}

fn grant_or_revoke(script: &mut Script, on: &str, privilege: &Privilege, grants: bool) {
    let privilege = Privilege {
        revoked: !grants,
        ..privilege.clone()
    };
    script.push(Step::Privileges, privilege.sql(on));
}
