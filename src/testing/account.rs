//! The account that the server runs under, since PostgreSQL refuses to run as root.

use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use super::LocalServerError;

/// Whom to run as; `None` is who runs this.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Account(Option<(u32, u32)>);

impl Account {
    /// Who runs this, unless that is root: then `postgres`, or `nobody` where there is no such account.
    pub(super) fn choose() -> Result<Self, LocalServerError> {
        if !rustix::process::geteuid().is_root() {
            return Ok(Self(None));
        }
        let accounts = fs::read_to_string("/etc/passwd").unwrap_or_default();
        let ids = ["postgres", "nobody"]
            .into_iter()
            .find_map(|name| ids(&accounts, name));
        ids.map(|ids| Self(Some(ids))).ok_or_else(|| {
            LocalServerError::new("PostgreSQL does not run as root, and there is neither an account postgres nor nobody", "run this as an ordinary user")
        })
    }

    /// Makes a command run under this account, without root's groups.
    pub(super) fn run(self, command: &mut Command) {
        if let Some((user, group)) = self.0 {
            command.uid(user).gid(group);
        }
    }

    pub(super) fn own(self, path: &Path) -> Result<(), LocalServerError> {
        let Some((user, group)) = self.0 else {
            return Ok(());
        };
        std::os::unix::fs::chown(path, Some(user), Some(group))
            .map_err(|error| LocalServerError::io("cannot change the owner of", path, &error))
    }
}

/// The ids of an account in the format of `/etc/passwd`.
fn ids(accounts: &str, name: &str) -> Option<(u32, u32)> {
    let line = accounts
        .lines()
        .find(|line| line.split(':').next() == Some(name))?;
    let mut fields = line.split(':').skip(2);
    Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_accounts_ids_are_found_by_its_whole_name() {
        let accounts = "root:x:0:0::/root:/bin/sh\npostgres2:x:7:8::/:/bin/sh\npostgres:x:106:113::/:/bin/sh\n";
        assert_eq!(ids(accounts, "postgres"), Some((106, 113)));
        assert_eq!(ids(accounts, "nobody"), None);
    }
}
