//! Changes of privileges.

use super::{Script, Step};
use crate::Catalog;
use crate::compare::Subject;
use crate::definition::quoted;
use crate::privilege::{Privilege, Privileges};

/// Grants and revokes privileges until an object has the expected ones.
pub(super) fn mend(script: &mut Script, expected: &Catalog, actual: &Catalog, subject: &Subject) {
    let (new, old) = (of(expected, subject), of(actual, subject));
    let on = match subject {
        Subject::Schema(name) => format!("SCHEMA {}", quoted(name)),
        Subject::Sequence(name) => format!("SEQUENCE {}", name.sql()),
        Subject::Relation(name) => format!("TABLE {}", name.sql()),
        Subject::Routine(_, _, title) => format!("ROUTINE {title}"),
        _ => return,
    };
    let owners = [&new.owner, &old.owner];
    let (new, old) = (new.but_for(&owners), old.but_for(&owners));
    let has_column = |own: &&Privilege| {
        let (Subject::Relation(name), Some(column)) = (subject, &own.column) else {
            return true;
        };
        let relation = expected.relations.get(name);
        relation.is_some_and(|relation| relation.columns.iter().any(|it| it.name == *column))
    };
    // The privileges on a column are dropped with the column.
    let gone = old.iter().filter(|own| !new.contains(own));
    for own in gone.filter(has_column) {
        change(script, &on, own, own.revoked);
    }
    for own in new.iter().filter(|own| !old.contains(own)) {
        change(script, &on, own, !own.revoked);
    }
}

/// Grants the privileges on a new object.
pub(super) fn of_new(script: &mut Script, on: &str, privileges: &Privileges) {
    for own in &privileges.granted {
        change(script, on, own, !own.revoked);
    }
}

fn of(catalog: &Catalog, subject: &Subject) -> Privileges {
    let found = match subject {
        Subject::Schema(name) => catalog.schema_privileges.get(name),
        Subject::Sequence(name) => catalog.sequences.get(name).map(|own| &own.privileges),
        Subject::Relation(name) => {
            let relation = catalog.relations.get(name);
            relation.map(|own| &own.attached.privileges)
        }
        Subject::Routine(_, _, title) => {
            let mut routines = catalog.routines.iter();
            let found = routines.find(|own| own.title() == *title);
            found.map(|own| &own.privileges)
        }
        _ => None,
    };
    found.cloned().unwrap_or_default()
}

fn change(script: &mut Script, on: &str, privilege: &Privilege, grants: bool) {
    let (what, role) = (privilege.what(), privilege.grantee());
    let statement = if grants {
        let grantable = if privilege.grantable {
            " WITH GRANT OPTION"
        } else {
            ""
        };
        format!("GRANT {what} ON {on} TO {role}{grantable}")
    } else {
        format!("REVOKE {what} ON {on} FROM {role}")
    };
    script.push(Step::Privileges, statement);
}
