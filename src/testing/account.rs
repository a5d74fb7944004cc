//! The account that the server runs under, since PostgreSQL refuses to run as root.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, kill_process, test_kill_process};

use super::LocalServerError;

/// The user and group that the server runs under; `None` is the current user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Account(Option<(u32, u32)>);

impl Account {
    /// Returns the current user, unless that is root: then `postgres`, or `nobody` if there is no
    /// such account.
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

    /// Signals a process of the account; returns false if there is no such process.
    ///
    /// As root, the signal is sent by a program that runs under the account. The process id comes
    /// from a file that the account can write, and root could signal any process.
    pub(super) fn signal(self, pid: Pid, signal: Signal) -> Result<bool, LocalServerError> {
        let stop_by_hand = |why: String| {
            let pid = pid.as_raw_nonzero();
            LocalServerError::new(
                format!("cannot stop process {pid}: {why}"),
                "stop it by hand",
            )
        };
        if self.0.is_none() {
            return match kill_process(pid, signal) {
                Ok(()) => Ok(true),
                Err(rustix::io::Errno::SRCH) => Ok(false),
                Err(error) => Err(stop_by_hand(error.to_string())),
            };
        }
        let mut kill = Command::new("/bin/sh");
        kill.args(["-c", "kill -s \"$1\" \"$2\"", "sh"])
            .arg(if signal == Signal::QUIT {
                "QUIT"
            } else {
                "INT"
            })
            .arg(pid.as_raw_nonzero().to_string())
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        self.run(&mut kill);
        let done = kill
            .output()
            .map_err(|error| LocalServerError::io("cannot run", Path::new("/bin/sh"), &error))?;
        if done.status.success() {
            return Ok(true);
        }
        if test_kill_process(pid).is_err() {
            return Ok(false);
        }
        Err(stop_by_hand(
            String::from_utf8_lossy(&done.stderr).trim().to_owned(),
        ))
    }

    /// Returns whether a process is one of the account's servers; true if the system does not
    /// report it.
    pub(super) fn has_server(self, pid: Pid) -> bool {
        let folder = Path::new("/proc").join(pid.as_raw_nonzero().to_string());
        let Ok(process) = fs::metadata(&folder) else {
            // There is no /proc, or no such process. The caller distinguishes the two.
            return true;
        };
        let owner = match self.0 {
            Some((user, _)) => user,
            None => rustix::process::geteuid().as_raw(),
        };
        let program = fs::read_link(folder.join("exe"));
        let is_postgres = program.is_ok_and(|program| {
            let name = program.file_name().unwrap_or_default().to_string_lossy();
            // A program that was replaced since is "postgres (deleted)".
            name.starts_with("postgres")
        });
        // A process that has ended, but is not reaped yet, has no program.
        process.uid() == owner && is_postgres
    }

    pub(super) fn own(self, path: &Path) -> Result<(), LocalServerError> {
        let Some((user, group)) = self.0 else {
            return Ok(());
        };
        std::os::unix::fs::chown(path, Some(user), Some(group))
            .map_err(|error| LocalServerError::io("cannot change the owner of", path, &error))
    }
}

/// Returns the IDs of an account from a text in the format of `/etc/passwd`.
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
