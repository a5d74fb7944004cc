//! `LocalServer`: a throwaway PostgreSQL, started from installed binaries.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rustix::fs::{FlockOperation, flock};

use super::LocalServerError;
use super::binaries::Binaries;
use super::cluster::{Cluster, Shutdown};
use super::runtime_folder::{fingerprint, runtime_folder, write_whole};
use super::watcher::{self, Membership};
use crate::config::Config;
use crate::error::{Error, ErrorKind};
use crate::session::Session;

/// A throwaway PostgreSQL on a Unix socket that only this user can reach.
///
/// It is started from the newest installed binaries, or from those that `BOWLINE_PG_BIN` names. As
/// root it runs under another account. A crash loses its data. It is removed when its last user is
/// gone, even if the users were killed; the shared one within ten seconds.
#[derive(Debug, Clone)]
pub struct LocalServer {
    cluster: Cluster,
    version: String,
    port: u16,
    /// Held until the last clone is dropped.
    _membership: Option<Arc<Membership>>,
}

/// This process's handle of the shared server, kept until the process ends.
static SHARED: Mutex<Option<LocalServer>> = Mutex::new(None);

impl LocalServer {
    /// Returns the directory of the programs that a server would be started from, and their
    /// version; starts nothing.
    pub fn installed() -> Result<(PathBuf, String), LocalServerError> {
        let binaries = Binaries::find()?;
        Ok((binaries.folder, binaries.version))
    }

    /// Returns the server that all of this user's test processes share; starts it if there is none.
    pub fn start() -> Result<Self, LocalServerError> {
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(server) = shared
            .as_ref()
            .filter(|server| server.cluster.pid().is_some())
        {
            return Ok(server.clone());
        }
        let binaries = Binaries::find()?;
        let folder = runtime_folder()?;
        let key = format!(
            "{:08x}",
            fingerprint([
                binaries.folder.as_os_str().as_encoded_bytes(),
                binaries.version.as_bytes(),
                LAYOUT
            ]) as u32
        );
        let current = folder.join(format!("{key}.current"));
        let server = match Self::join_current(&current, &binaries) {
            Some(server) => server,
            None => Self::start_current(&current, &key, &binaries)?,
        };
        *shared = Some(server.clone());
        Ok(server)
    }

    /// Joins the server that this file names, if it runs. No other process is waited for.
    fn join_current(current: &Path, binaries: &Binaries) -> Option<Self> {
        let name = fs::read_to_string(current).ok()?;
        Self::join(&Cluster::at(current.with_file_name(name.trim())), binaries)
    }

    /// Starts a server and names it in this file, unless another process has just done so.
    fn start_current(
        current: &Path,
        key: &str,
        binaries: &Binaries,
    ) -> Result<Self, LocalServerError> {
        let _lock = lock(&current.with_extension("lock"))?;
        if let Some(folder) = current.parent() {
            sweep(folder);
        }
        if let Some(server) = Self::join_current(current, binaries) {
            return Ok(server);
        }
        // The server has no watcher, or does not exist. Its remains are removed.
        if let Ok(name) = fs::read_to_string(current) {
            Cluster::at(current.with_file_name(name.trim())).remove()?;
        }
        let name = format!("{key}-{:x}", moment());
        let cluster = Cluster::create(current.with_file_name(&name), binaries, &[])?;
        let server = Self::launch(cluster, binaries, LINGER)?;
        write_whole(current, &name)?;
        Ok(server)
    }

    /// Starts a private server, with settings of `postgresql.conf` after the usual ones; for tests
    /// that stop, kill or reconfigure it. It is stopped and removed when the last clone is dropped.
    ///
    /// With `listen_addresses`, it also accepts TCP connections, on the given `port`.
    pub fn private(settings: &[(&str, &str)]) -> Result<Self, LocalServerError> {
        let binaries = Binaries::find()?;
        let folder = runtime_folder()?.join(format!("own-{:x}", moment()));
        let mut server = Self::launch(
            Cluster::create(folder, &binaries, settings)?,
            &binaries,
            Duration::ZERO,
        )?;
        let port = settings.iter().rfind(|(name, _)| *name == "port");
        if let Some(port) = port.and_then(|(_, port)| port.parse().ok()) {
            server.port = port;
        }
        Ok(server)
    }

    /// Starts a hot standby of this server, with the same settings; for tests of failover and of
    /// recovery conflicts.
    ///
    /// This server has to be a private one with `wal_level` of `replica` and `max_wal_senders`
    /// above 2.
    pub fn standby(&self) -> Result<Self, LocalServerError> {
        let binaries = Binaries::find()?;
        let folder = runtime_folder()?.join(format!("own-{:x}", moment()));
        let standby = Cluster::standby_of(&self.cluster, &self.config("postgres"), folder)?;
        let mut standby = Self::launch(standby, &binaries, Duration::ZERO)?;
        standby.port = self.port;
        Ok(standby)
    }

    /// Returns the server of a project, which runs until [`LocalServer::stop`]; starts it if it
    /// does not run.
    pub fn of_project(project: &Path) -> Result<Self, LocalServerError> {
        let (folder, _lock) = Self::project_folder(project)?;
        let binaries = Binaries::find()?;
        let cluster = Cluster::at(folder.clone());
        if cluster.pid().is_none() {
            if cluster.is_made() {
                cluster.start(&binaries)?;
            } else {
                cluster.remove()?;
                Cluster::create(folder, &binaries, &[])?.start(&binaries)?;
            }
        }
        let server = Self {
            cluster,
            version: binaries.version,
            port: PORT,
            _membership: None,
        };
        server.wait_for_connections()?;
        Ok(server)
    }

    /// Waits until the server accepts connections: a running server may still be recovering.
    fn wait_for_connections(&self) -> Result<(), LocalServerError> {
        const PATIENCE: Duration = Duration::from_secs(30);
        let is_starting = |error: &Error| error.kind() == ErrorKind::Unavailable;
        let deadline = Instant::now() + PATIENCE;
        loop {
            match Session::connect(&self.config("postgres")) {
                Err(error) if is_starting(&error) && Instant::now() > deadline => {
                    return Err(LocalServerError::new(
                        format!(
                            "the server runs, but accepts no connections: {}",
                            error.message()
                        ),
                        format!("see its log, {}", self.log().display()),
                    ));
                }
                Err(error) if is_starting(&error) => thread::sleep(Duration::from_millis(20)),
                // An error for a role that may not log in comes from a server that accepts
                // connections.
                Ok(_) | Err(_) => return Ok(()),
            }
        }
    }

    /// Returns the server of a project, if it runs.
    pub fn running_in_project(project: &Path) -> Result<Option<Self>, LocalServerError> {
        let (folder, _lock) = Self::project_folder(project)?;
        let cluster = Cluster::at(folder);
        let version = cluster.version().unwrap_or_default();
        Ok(cluster.pid().map(|_| Self {
            cluster,
            version,
            port: PORT,
            _membership: None,
        }))
    }

    fn project_folder(project: &Path) -> Result<(PathBuf, File), LocalServerError> {
        let project = project
            .canonicalize()
            .map_err(|error| LocalServerError::io("cannot find", project, &error))?;
        let folder = runtime_folder()?;
        let name = format!(
            "project-{:x}",
            fingerprint([project.as_os_str().as_encoded_bytes()])
        );
        let lock = lock(&folder.join(format!("{name}.lock")))?;
        Ok((folder.join(name), lock))
    }

    fn join(cluster: &Cluster, binaries: &Binaries) -> Option<Self> {
        cluster.pid()?;
        let membership = watcher::join(cluster)?;
        Some(Self {
            cluster: cluster.clone(),
            version: binaries.version.clone(),
            port: PORT,
            _membership: Some(Arc::new(membership)),
        })
    }

    fn launch(
        cluster: Cluster,
        binaries: &Binaries,
        linger: Duration,
    ) -> Result<Self, LocalServerError> {
        // The watcher is started and joined before the server runs, so that a process that is
        // killed leaves no server behind.
        watcher::watch(&cluster, linger)?;
        let membership = watcher::join(&cluster).ok_or_else(|| {
            LocalServerError::new(
                "the process that watches the server could not be started",
                "check that /bin/sh works here",
            )
        })?;
        cluster.start(binaries)?;
        Ok(Self {
            cluster,
            version: binaries.version.clone(),
            port: PORT,
            _membership: Some(Arc::new(membership)),
        })
    }

    /// Returns the configuration that connects to this database. Variables such as `PGPORT` and
    /// `PGREQUIREAUTH`, which name another server or ask for what that one offers, do not apply.
    pub fn config(&self, dbname: &str) -> Config {
        let config = Config::new()
            .host(self.socket_folder().to_string_lossy())
            .port(self.port)
            .user("postgres")
            .dbname(dbname);
        let defaults = OF_OTHER_SERVERS.iter();
        defaults.fold(config, |config, (name, value)| {
            config.parameter(name, *value)
        })
    }

    /// Returns the URL that connects to this database.
    pub fn url(&self, dbname: &str) -> String {
        let host = self.socket_folder().to_string_lossy().replace('/', "%2F");
        format!("postgresql://postgres@{host}:{}/{dbname}", self.port)
    }

    /// Returns the directory of the Unix socket.
    pub fn socket_folder(&self) -> &Path {
        &self.cluster.folder
    }

    /// Returns the file to which the server writes its log.
    pub fn log(&self) -> PathBuf {
        self.cluster.log()
    }

    /// Returns the path of the Unix socket.
    pub fn socket(&self) -> PathBuf {
        self.socket_folder().join(format!(".s.PGSQL.{}", self.port))
    }

    /// Returns the version of the installed server, such as `15.18`.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Returns the process id of the server; `None` once it is gone.
    pub fn pid(&self) -> Option<i32> {
        self.cluster.pid().map(|pid| pid.as_raw_nonzero().get())
    }

    /// Shuts the server down and waits until it is gone. Its data stay for
    /// [`LocalServer::start_again`].
    ///
    /// An immediate shutdown loses the last commits, unless `synchronous_commit` is turned on.
    pub fn shut_down(&self, how: Shutdown) -> Result<(), LocalServerError> {
        self.cluster.stop(how)
    }

    /// Starts a server that was shut down, and waits until it accepts connections.
    pub fn start_again(&self) -> Result<(), LocalServerError> {
        self.cluster.start(&Binaries::find()?)
    }

    /// Stops the server and removes its data.
    pub fn stop(&self) -> Result<(), LocalServerError> {
        self.cluster.remove()
    }
}

const PORT: u16 = 5432;

/// Values of the parameters by which `PGREQUIREAUTH` and others, which are meant for another
/// server, would keep this one from being reached: they ask for nothing. libpq takes an empty value
/// for none, so `PGHOSTADDR` and `PGREQUIREPEER` still apply.
const OF_OTHER_SERVERS: [(&str, &str); 4] = [
    ("require_auth", "none,password,md5,scram-sha-256"),
    ("channel_binding", "prefer"),
    ("gssencmode", "disable"),
    ("target_session_attrs", "any"),
];

/// How long the shared server stays at least without a user, for the next process of a run of
/// tests.
const LINGER: Duration = Duration::from_secs(5);

/// The version of the directory layout; programs with another layout use another server.
const LAYOUT: &[u8] = b"own 2";

/// Locks a file against other processes until the returned file is dropped.
fn lock(path: &Path) -> Result<File, LocalServerError> {
    const PATIENCE: Duration = Duration::from_secs(60);
    let file =
        File::create(path).map_err(|error| LocalServerError::io("cannot write", path, &error))?;
    let deadline = Instant::now() + PATIENCE;
    loop {
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(file),
            Err(rustix::io::Errno::WOULDBLOCK) if Instant::now() < deadline => {
                thread::sleep(Duration::from_millis(5));
            }
            Err(error) => return Err(LocalServerError::io("cannot lock", path, &error)),
        }
    }
}

/// Removes the clusters whose users and watcher were killed, and what was found with another
/// environment long ago.
fn sweep(folder: &Path) {
    let entries = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(Result::ok);
    for path in entries.map(|entry| entry.path()) {
        let abandoned = Cluster::of_own(&path).filter(watcher::is_abandoned);
        // If removing fails now, the next start tries again.
        if let Some(found) = abandoned {
            found.remove().ok();
        } else if Binaries::are_remembered_in(&path) && is_old(&path) {
            fs::remove_file(&path).ok();
        }
    }
}

fn is_old(path: &Path) -> bool {
    const A_WEEK: Duration = Duration::from_secs(7 * 24 * 60 * 60);
    let written = fs::metadata(path).and_then(|file| file.modified());
    written.is_ok_and(|written| written.elapsed().is_ok_and(|age| age > A_WEEK))
}

/// Returns a number that no other start on this machine has.
fn moment() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    fingerprint([
        &since.as_nanos().to_le_bytes()[..],
        &std::process::id().to_le_bytes()[..],
    ]) >> 24
}
