//! Privileges of roles on an object, except those of its owner.

use serde::{Deserialize, Serialize};

use bowline_sql::quote::identifier as quoted;

/// The role that stands for all roles.
pub(crate) const PUBLIC_ROLE: &str = "public";

/// Privileges on one object, without those that `PUBLIC` has by default.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Privileges {
    /// The owner. The owner has all privileges, so `granted` does not list them. Only the catalog
    /// of a server has the owner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// The granted privileges, sorted and without duplicates.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub granted: Vec<Privilege>,
}

/// One privilege of one role.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Privilege {
    /// The name of the role; `public` stands for all roles.
    pub role: String,
    /// `SELECT`, `EXECUTE`, ..; `MAINTAIN` is left out, since only PostgreSQL 17 and later have it.
    pub privilege: String,
    /// The column, if the privilege is on a column.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// `WITH GRANT OPTION`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub grantable: bool,
    /// True if a default privilege was revoked, such as `EXECUTE` on a function.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub revoked: bool,
}

impl Privileges {
    /// Returns true if nothing was granted and no owner is known.
    pub fn is_empty(&self) -> bool {
        self.granted.is_empty() && self.owner.is_none()
    }

    pub(crate) fn add(&mut self, privilege: Privilege) {
        let is_same = |other: &Privilege| other.has_same_target(&privilege);
        match self.granted.iter_mut().find(|other| is_same(other)) {
            Some(known) => {
                known.grantable |= privilege.grantable;
                known.revoked = privilege.revoked;
            }
            None => self.granted.push(privilege),
        }
        self.granted.sort();
    }

    /// Returns the privileges of the roles that are not among the owners.
    pub(crate) fn of_others_than(&self, owners: &[&Option<String>]) -> Vec<Privilege> {
        let is_owner = |role: &String| owners.iter().any(|owner| owner.as_ref() == Some(role));
        let granted = self.granted.iter();
        let others = granted.filter(|privilege| !is_owner(&privilege.role));
        others.cloned().collect()
    }
}

impl Privilege {
    /// Returns true if the other is the same privilege of the same role on the same column.
    pub(crate) fn has_same_target(&self, other: &Self) -> bool {
        (&self.role, &self.privilege, &self.column)
            == (&other.role, &other.privilege, &other.column)
    }

    /// Returns the privilege as text for a difference: `SELECT (a) to app`.
    pub fn description(&self) -> String {
        let action = self.action();
        let role = self.grantee();
        if self.revoked {
            return format!("{action} not to {role}");
        }
        let grantable = if self.grantable {
            " WITH GRANT OPTION"
        } else {
            ""
        };
        format!("{action} to {role}{grantable}")
    }

    /// Returns the GRANT of the privilege on an object, or the REVOKE if it was revoked.
    pub(crate) fn sql(&self, object: &str) -> String {
        let (action, role) = (self.action(), self.grantee());
        if self.revoked {
            return format!("REVOKE {action} ON {object} FROM {role}");
        }
        let grantable = if self.grantable {
            " WITH GRANT OPTION"
        } else {
            ""
        };
        format!("GRANT {action} ON {object} TO {role}{grantable}")
    }

    /// Returns the privilege as GRANT writes it: `SELECT (a)`.
    pub(crate) fn action(&self) -> String {
        match &self.column {
            Some(column) => format!("{} ({})", self.privilege, quoted(column)),
            None => self.privilege.clone(),
        }
    }

    pub(crate) fn grantee(&self) -> String {
        match self.role.as_str() {
            PUBLIC_ROLE => "PUBLIC".to_owned(),
            role => quoted(role),
        }
    }
}
