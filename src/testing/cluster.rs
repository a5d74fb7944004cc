//! One cluster: its directories and its creation, and the start and stop of its server.
//!
//! As root, the server runs under another account, and root has to be safe from that account. So
//! there are two directories. The account's directory has the data and the socket. In it, root
//! writes nothing, follows no link and waits for nothing. Root's directory has the log, the
//! settings and the pipe of the users.

mod standby;

use std::env;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::OFlags;
use rustix::process::{Pid, Signal, test_kill_process};

use super::LocalServerError;
use super::account::Account;
use super::binaries::Binaries;

/// A cluster, identified by its directory of data and socket.
#[derive(Debug, Clone)]
pub(super) struct Cluster {
    pub(super) folder: PathBuf,
}

/// The extension of the directory beside it.
const OWN: &str = "own";

/// The time that a server may take to start or stop.
const PATIENCE: Duration = Duration::from_secs(30);
/// The pause between two checks.
const POLL_PAUSE: Duration = Duration::from_millis(10);

/// Settings that are fast but not durable: a crash of the machine loses the data, which is
/// temporary anyway.
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

/// The mode in which a server is shut down (PostgreSQL manual, 19.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shutdown {
    /// The server ends its sessions and rolls their transactions back. It later starts from a clean
    /// state.
    Fast,
    /// The server stops as in a crash, and recovers when it starts again.
    Immediate,
}

impl Cluster {
    pub(super) fn at(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Returns the cluster to which such a directory beside it belongs; `None` for any other
    /// directory.
    pub(super) fn of_own(own: &Path) -> Option<Self> {
        (own.extension()? == OWN).then(|| Self::at(own.with_extension("")))
    }

    /// Returns the directory beside it, which belongs to the user who starts the server.
    pub(super) fn own(&self) -> PathBuf {
        self.folder.with_extension(OWN)
    }

    pub(super) fn log(&self) -> PathBuf {
        self.own().join("log")
    }

    fn settings(&self) -> PathBuf {
        self.own().join("postgresql.conf")
    }

    /// Returns whether the cluster was created with everything that a start needs.
    pub(super) fn is_made(&self) -> bool {
        self.version().is_some() && self.settings().is_file()
    }

    /// Returns the major version of its data.
    pub(super) fn version(&self) -> Option<String> {
        Some(read(&self.data().join("PG_VERSION"))?.trim().to_owned())
    }

    /// Creates the directory and the cluster in it, with these settings after the usual ones.
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
            text.push_str(&setting(name, value));
        }
        cluster.configure(&text)?;
        Ok(cluster)
    }

    fn in_new_folder(folder: PathBuf, account: Account) -> Result<Self, LocalServerError> {
        fs::create_dir(&folder)
            .map_err(|error| LocalServerError::io("cannot make", &folder, &error))?;
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o700))
            .map_err(|error| LocalServerError::io("cannot protect", &folder, &error))?;
        account.own(&folder)?;
        let cluster = Self { folder };
        let own = cluster.own();
        fs::create_dir(&own).map_err(|error| LocalServerError::io("cannot make", &own, &error))?;
        // The account reads the settings in this directory.
        fs::set_permissions(&own, fs::Permissions::from_mode(0o711))
            .map_err(|error| LocalServerError::io("cannot protect", &own, &error))?;
        Ok(cluster)
    }

    /// Runs a program of PostgreSQL to its end, in the cluster's directory.
    fn run(
        &self,
        account: Account,
        mut program: Command,
        name: &str,
    ) -> Result<(), LocalServerError> {
        account.run(&mut program);
        without_variables(&mut program);
        let done = program
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .output()
            .map_err(|error| LocalServerError::io("cannot run", Path::new(name), &error))?;
        if done.status.success() {
            return Ok(());
        }
        let output = String::from_utf8_lossy(&done.stderr).trim().to_owned();
        Err(LocalServerError::new(
            format!("{name} failed: {output}"),
            "see its message",
        ))
    }

    /// Writes the settings: those of initdb, then these, then the directory of the socket.
    fn configure(&self, settings: &str) -> Result<(), LocalServerError> {
        let path = self.settings();
        let quoted = |path: &Path| path.display().to_string().replace('\'', "''");
        let text = format!(
            "include '{}'\n{settings}{SOCKETS} = '{}'\n",
            quoted(&self.data().join("postgresql.conf")),
            quoted(&self.folder)
        );
        fs::write(&path, text)
            .and_then(|()| fs::set_permissions(&path, fs::Permissions::from_mode(0o644)))
            .map_err(|error| LocalServerError::io("cannot write", &path, &error))
    }

    /// Starts the server and waits until it accepts connections.
    ///
    /// If an earlier server of this cluster was killed, first waits a little until that server and
    /// its sessions are gone.
    pub(super) fn start(&self, binaries: &Binaries) -> Result<(), LocalServerError> {
        const STILL_RUNNING: [&str; 2] = [
            "\"postmaster.pid\" already exists",
            "pre-existing shared memory block",
        ];
        const END_TIMEOUT: Duration = Duration::from_secs(10);
        let deadline = Instant::now() + END_TIMEOUT;
        loop {
            let started = self.start_now(binaries);
            match started {
                Err(error)
                    if STILL_RUNNING
                        .iter()
                        .any(|trace| error.message().contains(trace))
                        && Instant::now() < deadline =>
                {
                    thread::sleep(POLL_PAUSE * 10);
                }
                started => return started,
            }
        }
    }

    fn start_now(&self, binaries: &Binaries) -> Result<(), LocalServerError> {
        let log = self.log();
        let out = private_file(&log)
            .map_err(|error| LocalServerError::io("cannot write", &log, &error))?;
        let errors = out
            .try_clone()
            .map_err(|error| LocalServerError::io("cannot write", &log, &error))?;
        let mut postgres = Command::new(binaries.program("postgres"));
        postgres
            .arg("-D")
            .arg(self.data())
            .arg("-c")
            .arg(format!("config_file={}", self.settings().display()))
            .current_dir(&self.folder);
        postgres.stdin(Stdio::null()).stdout(out).stderr(errors);
        Account::choose()?.run(&mut postgres);
        without_variables(&mut postgres);
        // The server gets a separate process group, so that an interrupt meant for the tests does
        // not stop it first.
        let child = postgres.process_group(0).spawn();
        let mut child = child.map_err(|error| {
            LocalServerError::io("cannot run", &binaries.program("postgres"), &error)
        })?;
        let deadline = Instant::now() + PATIENCE;
        while !self.is_ready(child.id()) {
            let ended = child.try_wait().ok().flatten();
            if ended.is_some() || Instant::now() > deadline {
                // This process started the server, and it did not come up.
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
                    "check its message",
                ));
            }
            thread::sleep(POLL_PAUSE);
        }
        // Reaps the server when it ends, so that a check whether it still exists is right while
        // this process lives.
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

    /// Returns the server's process id, if a server runs and belongs to this cluster.
    pub(super) fn pid(&self) -> Option<Pid> {
        let file = read(&self.data().join("postmaster.pid"))?;
        let mut lines = file.lines();
        // For kill, numbers below 1 mean groups of processes, and 1 is init.
        let number = lines
            .next()?
            .trim()
            .parse()
            .ok()
            .filter(|number| *number > 1)?;
        let pid = Pid::from_raw(number)?;
        let is_ours = Path::new(lines.next()?) == self.data();
        let account = Account::choose().ok()?;
        (is_ours && test_kill_process(pid).is_ok() && account.has_server(pid)).then_some(pid)
    }

    /// Stops the server and waits until it is gone; its data stay.
    pub(super) fn stop(&self, how: Shutdown) -> Result<(), LocalServerError> {
        let signal = match how {
            Shutdown::Fast => Signal::INT,
            Shutdown::Immediate => Signal::QUIT,
        };
        let Some(pid) = self.pid() else { return Ok(()) };
        if !Account::choose()?.signal(pid, signal)? {
            return Ok(());
        }
        let deadline = Instant::now() + PATIENCE;
        while test_kill_process(pid).is_ok() {
            if Instant::now() > deadline {
                return Err(LocalServerError::new(
                    format!("process {} does not stop", pid.as_raw_nonzero()),
                    "stop it by hand",
                ));
            }
            thread::sleep(POLL_PAUSE);
        }
        Ok(())
    }

    /// Stops the server and removes the directories.
    pub(super) fn remove(&self) -> Result<(), LocalServerError> {
        self.stop(Shutdown::Immediate)?;
        for folder in [&self.folder, &self.own()] {
            match fs::remove_dir_all(folder) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(LocalServerError::io("cannot remove", folder, &error));
                }
                _ => {}
            }
        }
        Ok(())
    }

    pub(super) fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Returns whether the file `postmaster.pid` says that this process accepts connections. The
    /// file of a killed server says so too, so the process id is compared.
    fn is_ready(&self, process: u32) -> bool {
        let file = read(&self.data().join("postmaster.pid")).unwrap_or_default();
        let mut lines = file.lines();
        let is_its_own = lines
            .next()
            .is_some_and(|pid| pid.trim() == process.to_string());
        is_its_own && lines.nth(6).is_some_and(|status| status.trim() == "ready")
    }
}

/// Removes the variables `PG..` from the environment of a program: a server takes its port from
/// `PGPORT`, and initdb its settings from others.
fn without_variables(program: &mut Command) {
    for (name, _) in env::vars_os() {
        if name.as_encoded_bytes().starts_with(b"PG") {
            program.env_remove(name);
        }
    }
}

/// The setting for the directory of the socket.
const SOCKETS: &str = "unix_socket_directories";

/// Returns a line of the settings.
fn setting(name: &str, value: &str) -> String {
    // Unlike in SQL, a backslash always escapes here.
    let value = value.replace('\\', "\\\\").replace('\'', "''");
    format!("{name} = '{value}'\n")
}

/// Reads a small file in the account's directory. The account may put anything in its place, so no
/// link is followed, and nothing is waited for.
fn read(path: &Path) -> Option<String> {
    const MAX_BYTES: u64 = 64 * 1024;
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(i32::try_from(flags.bits()).ok()?)
        .open(path)
        .ok()?;
    file.metadata().ok()?.is_file().then_some(())?;
    let mut text = String::new();
    file.take(MAX_BYTES).read_to_string(&mut text).ok()?;
    Some(text)
}

/// Creates an empty file that only its owner can read: a log contains the statements that failed.
fn private_file(path: &Path) -> io::Result<File> {
    const MODE: u32 = 0o600;
    let mut options = OpenOptions::new();
    let file = options
        .write(true)
        .create(true)
        .truncate(true)
        .mode(MODE)
        .open(path)?;
    // A file that exists has kept its permissions.
    file.set_permissions(fs::Permissions::from_mode(MODE))?;
    Ok(file)
}

/// Returns the last lines of a log.
fn tail(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<_> = text.lines().rev().take(5).collect();
    lines.into_iter().rev().collect::<Vec<_>>().join(" / ")
}
