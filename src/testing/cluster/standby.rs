//! A standby: a base backup of a running cluster, taken without `pg_basebackup`, which not every
//! installation has (PostgreSQL manual, 25.3.3).

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use super::super::LocalServerError;
use super::super::account::Account;
use super::{Cluster, SOCKETS, setting};
use crate::config::Config;
use crate::session::Session;
use crate::statement::StatementDsl as _;

/// Copies the data of the primary, without the files of its running server.
const COPY: &str = "cp -R \"$1\" \"$2\" && rm -f \"$2/postmaster.pid\" \"$2/postmaster.opts\"";

/// Writes the label, from which recovery starts, and the file that makes the server a standby.
const LABEL: &str = "printf %s \"$2\" > \"$1/backup_label\" && : > \"$1/standby.signal\"";

impl Cluster {
    /// Creates the directories, and in them a standby of a running cluster. The standby follows the
    /// primary once it is started.
    pub(in crate::testing) fn standby_of(
        primary: &Self,
        config: &Config,
        folder: PathBuf,
    ) -> Result<Self, LocalServerError> {
        let account = Account::choose()?;
        let cluster = Self::in_new_folder(folder, account)?;
        let mut session = Session::connect(config)?;
        let start = crate::sql_query("SELECT pg_backup_start('standby', true)");
        session.run(start.affected())?;
        cluster.run(account, shell(COPY, [primary.data(), cluster.data()]), "cp")?;
        let stop = crate::sql_query("SELECT labelfile FROM pg_backup_stop(false)");
        let label = session.run(stop.one::<String>())?;
        let label = shell(LABEL, [cluster.data(), PathBuf::from(label)]);
        cluster.run(account, label, "printf")?;
        let of_primary = primary.settings();
        let settings = fs::read_to_string(&of_primary)
            .map_err(|error| LocalServerError::io("cannot read", &of_primary, &error))?;
        let is_of_primary = |line: &&str| line.starts_with("include ") || line.starts_with(SOCKETS);
        let settings: Vec<&str> = settings
            .lines()
            .filter(|line| !is_of_primary(line))
            .collect();
        let host = primary.folder.display().to_string();
        let host = host.replace('\\', "\\\\").replace('\'', "\\'");
        let primary = setting("primary_conninfo", &format!("user=postgres host='{host}'"));
        cluster.configure(&format!("{}\n{primary}", settings.join("\n")))?;
        Ok(cluster)
    }
}

/// Returns a shell that runs the script with these arguments. As root it runs under the server's
/// account, since root writes nothing in that account's directory.
fn shell(script: &str, arguments: [PathBuf; 2]) -> Command {
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", script, "sh"]).args(arguments);
    shell
}
