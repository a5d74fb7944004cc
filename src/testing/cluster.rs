//! One cluster: its folder, its making, its server's start and end.

use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, test_kill_process};

use super::LocalServerError;
use super::account::Account;
use super::binaries::Binaries;

/// A folder with a cluster's data, socket and log.
#[derive(Debug, Clone)]
pub(super) struct Cluster {
    pub(super) folder: PathBuf,
}

/// How long a server may take to start or stop.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long to wait before looking again.
const GLANCE: Duration = Duration::from_millis(10);

/// Fast and forgetful: a crash of the machine loses the data, which is thrown away anyhow.
const SETTINGS: &str = "
listen_addresses = ''
max_connections = 200
shared_buffers = 64MB
fsync = off
synchronous_commit = off
full_page_writes = off
wal_level = minimal
max_wal_senders = 0
autovacuum = off
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
lc_messages = 'C'
";

/// How a server is shut down (PostgreSQL manual, 19.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shutdown {
    /// It ends its sessions and rolls their transactions back, and starts again from where it was.
    Fast,
    /// It drops everything, as in a crash, and recovers when it starts again.
    Immediate,
}

impl Cluster {
    pub(super) fn at(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Makes the folder and the cluster in it, with these settings behind the usual ones.
    pub(super) fn create(
        folder: PathBuf,
        binaries: &Binaries,
        settings: &[(&str, &str)],
    ) -> Result<Self, LocalServerError> {
        let account = Account::choose()?;
        let cluster = Self::in_new_folder(folder, account)?;
        let mut initdb = Command::new(binaries.program("initdb"));
        initdb
            .args([
                "--auth=trust",
                "--username=postgres",
                "--encoding=UTF8",
                "--locale=C",
                "--no-sync",
                "--pgdata",
            ])
            .arg(cluster.data());
        cluster.run(account, initdb, "initdb")?;
        let mut text = SETTINGS.to_owned();
        for (name, value) in settings {
            // Not SQL: here a backslash always escapes.
            let value = value.replace('\\', "\\\\").replace('\'', "''");
            text.push_str(&format!("{name} = '{value}'\n"));
        }
        cluster.configure(&text)?;
        Ok(cluster)
    }

    /// Makes the folder, and in it a standby of a running cluster, which follows it once it is started.
    pub(super) fn standby_of(
        primary: &Self,
        folder: PathBuf,
        binaries: &Binaries,
    ) -> Result<Self, LocalServerError> {
        let program = binaries.program("pg_basebackup");
        if !program.is_file() {
            return Err(LocalServerError::new(
                format!(
                    "a standby is made by pg_basebackup, and there is no {}",
                    program.display()
                ),
                "install PostgreSQL's client programs of the same version",
            ));
        }
        let account = Account::choose()?;
        let cluster = Self::in_new_folder(folder, account)?;
        let mut backup = Command::new(program);
        backup
            .args(["--username=postgres", "--checkpoint=fast", "--no-sync"])
            .args(["--write-recovery-conf", "--pgdata"])
            .arg(cluster.data())
            .arg("--host")
            .arg(&primary.folder);
        cluster.run(account, backup, "pg_basebackup")?;
        cluster.configure("")?;
        Ok(cluster)
    }

    fn in_new_folder(folder: PathBuf, account: Account) -> Result<Self, LocalServerError> {
        fs::create_dir(&folder)
            .map_err(|error| LocalServerError::io("cannot make", &folder, &error))?;
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o700))
            .map_err(|error| LocalServerError::io("cannot protect", &folder, &error))?;
        account.own(&folder)?;
        Ok(Self { folder })
    }

    /// Runs a program of PostgreSQL's to its end, in the folder.
    fn run(
        &self,
        account: Account,
        mut program: Command,
        name: &str,
    ) -> Result<(), LocalServerError> {
        account.run(&mut program);
        let done = program
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .output()
            .map_err(|error| LocalServerError::io("cannot run", Path::new(name), &error))?;
        if done.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&done.stderr).trim().to_owned();
        Err(LocalServerError::new(
            format!("{name} failed: {said}"),
            "look at its message",
        ))
    }

    /// Adds settings, and the socket's place behind them.
    fn configure(&self, settings: &str) -> Result<(), LocalServerError> {
        let path = self.data().join("postgresql.conf");
        let text = format!(
            "{settings}unix_socket_directories = '{}'\n",
            self.folder.display()
        );
        let written = File::options()
            .append(true)
            .open(&path)
            .and_then(|mut file| file.write_all(text.as_bytes()));
        written.map_err(|error| LocalServerError::io("cannot write", &path, &error))
    }

    /// Starts the server and waits until it takes connections.
    pub(super) fn start(&self, binaries: &Binaries) -> Result<(), LocalServerError> {
        let log = self.folder.join("log");
        let out = File::create(&log)
            .map_err(|error| LocalServerError::io("cannot write", &log, &error))?;
        let errors = out
            .try_clone()
            .map_err(|error| LocalServerError::io("cannot write", &log, &error))?;
        let mut postgres = Command::new(binaries.program("postgres"));
        postgres
            .arg("-D")
            .arg(self.data())
            .current_dir(&self.folder);
        postgres.stdin(Stdio::null()).stdout(out).stderr(errors);
        Account::choose()?.run(&mut postgres);
        // A group of its own, so that an interrupt meant for the tests does not stop it first.
        let child = postgres.process_group(0).spawn();
        let mut child = child.map_err(|error| {
            LocalServerError::io("cannot run", &binaries.program("postgres"), &error)
        })?;
        let deadline = Instant::now() + PATIENCE;
        while !self.is_ready() {
            let ended = child.try_wait().ok().flatten();
            if ended.is_some() || Instant::now() > deadline {
                // It is ours, and it did not come up.
                child.kill().ok();
                child.wait().ok();
                let tail = tail(&log);
                let why = if ended.is_some() {
                    "ended at once"
                } else {
                    "did not get ready in 30 s"
                };
                return Err(LocalServerError::new(
                    format!("the server {why}: {tail}"),
                    "look at what it says",
                ));
            }
            thread::sleep(GLANCE);
        }
        // Reaps it when it ends, so that "is it still there" has a true answer while this process lives.
        let reaper = thread::Builder::new()
            .name("bowline-reaper".to_owned())
            .spawn(move || child.wait());
        reaper.map(drop).map_err(|error| {
            LocalServerError::new(
                format!("cannot start a thread: {error}"),
                "free some memory",
            )
        })
    }

    /// The server's process, if there is one and it is this cluster's.
    pub(super) fn pid(&self) -> Option<Pid> {
        let file = fs::read_to_string(self.data().join("postmaster.pid")).ok()?;
        let mut lines = file.lines();
        let pid = Pid::from_raw(lines.next()?.trim().parse().ok()?)?;
        let is_ours = Path::new(lines.next()?) == self.data();
        (is_ours && test_kill_process(pid).is_ok()).then_some(pid)
    }

    /// Ends the server, and waits until it is gone; its data stay.
    pub(super) fn stop(&self, how: Shutdown) -> Result<(), LocalServerError> {
        let signal = match how {
            Shutdown::Fast => Signal::INT,
            Shutdown::Immediate => Signal::QUIT,
        };
        let Some(pid) = self.pid() else { return Ok(()) };
        let gone = |error: rustix::io::Errno| error == rustix::io::Errno::SRCH;
        match kill_process(pid, signal) {
            Err(error) if gone(error) => return Ok(()),
            Err(error) => {
                return Err(LocalServerError::new(
                    format!("cannot stop process {}: {error}", pid.as_raw_nonzero()),
                    "stop it by hand",
                ));
            }
            Ok(()) => {}
        }
        let deadline = Instant::now() + PATIENCE;
        while test_kill_process(pid).is_ok() {
            if Instant::now() > deadline {
                return Err(LocalServerError::new(
                    format!("process {} does not stop", pid.as_raw_nonzero()),
                    "stop it by hand",
                ));
            }
            thread::sleep(GLANCE);
        }
        Ok(())
    }

    /// Stops the server and removes the folder.
    pub(super) fn remove(&self) -> Result<(), LocalServerError> {
        self.stop(Shutdown::Immediate)?;
        match fs::remove_dir_all(&self.folder) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(LocalServerError::io("cannot remove", &self.folder, &error))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn is_ready(&self) -> bool {
        let file = fs::read_to_string(self.data().join("postmaster.pid")).unwrap_or_default();
        file.lines()
            .nth(7)
            .is_some_and(|status| status.trim() == "ready")
    }
}

/// The last lines of a log.
fn tail(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<_> = text.lines().rev().take(5).collect();
    lines.into_iter().rev().collect::<Vec<_>>().join(" / ")
}
