//! PgBouncer in transaction mode: the distribution's package, or the program that
//! `BOWLINE_PGBOUNCER` names.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use bowline::Config;
use bowline::testing::LocalServer;

/// A PgBouncer in front of a server's databases, on a Unix socket.
#[derive(Debug)]
pub struct PgBouncer {
    process: Child,
    folder: PathBuf,
}

const PORT: u16 = 6432;

impl PgBouncer {
    /// Returns the version of the program: `(1, 18)`.
    pub fn version() -> (u32, u32) {
        let output = Command::new(program()).arg("--version").output();
        let output = output.expect("pgbouncer is not installed: script/bootstrap installs it");
        let text = String::from_utf8_lossy(&output.stdout);
        let version = text.split_whitespace().nth(1).unwrap_or_default();
        let mut numbers = version.split('.').filter_map(|number| number.parse().ok());
        (
            numbers.next().expect("a version"),
            numbers.next().expect("a version"),
        )
    }

    /// Starts PgBouncer with two server sessions for each database.
    pub fn start(server: &LocalServer) -> Self {
        Self::with(server, "default_pool_size = 2\nmax_client_conn = 50\n")
    }

    /// Starts PgBouncer with these lines in the section `[pgbouncer]` of its settings.
    pub fn with(server: &LocalServer, settings: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!(
            "pgbouncer-{}-{}",
            std::process::id(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        );
        // In the server's folder, since PgBouncer's account can access it.
        let folder = server.socket_folder().join(name);
        fs::create_dir(&folder).expect("a folder");
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o777)).expect("a folder of ours");
        fs::write(folder.join("users"), "\"postgres\" \"\"\n").expect("a file");
        let settings = format!(
            "[databases]\n* = host={socket} port=5432\n[pgbouncer]\nlisten_addr =\nlisten_port = {PORT}\n\
             unix_socket_dir = {here}\nauth_type = trust\nauth_file = {here}/users\npool_mode = transaction\n\
             {settings}",
            socket = server.socket_folder().display(),
            here = folder.display()
        );
        fs::write(folder.join("pgbouncer.ini"), settings).expect("a file");
        let process = command(server)
            .arg(folder.join("pgbouncer.ini"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("pgbouncer is not installed: script/bootstrap installs it");
        let bouncer = Self { process, folder };
        let deadline = Instant::now() + Duration::from_secs(20);
        let socket = bouncer.folder.join(format!(".s.PGSQL.{PORT}"));
        while UnixStream::connect(&socket).is_err() {
            assert!(Instant::now() < deadline, "pgbouncer does not start");
            thread::sleep(Duration::from_millis(10));
        }
        bouncer
    }

    /// Returns the configuration of a connection to this database through PgBouncer.
    pub fn config(&self, dbname: &str) -> Config {
        Config::new()
            .host(self.folder.to_string_lossy())
            .port(PORT)
            .user("postgres")
            .dbname(dbname)
    }

    /// Returns the connection string of the database `postgres` through PgBouncer.
    pub fn url(&self) -> String {
        format!(
            "host={} port={PORT} user=postgres dbname=postgres",
            self.folder.display()
        )
    }
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
        fs::remove_dir_all(&self.folder).ok();
    }
}

/// Returns the path of the program: that of the distribution's package, or the one that
/// `BOWLINE_PGBOUNCER` names, for example a later version.
fn program() -> PathBuf {
    let folders = [
        "/usr/sbin",
        "/usr/bin",
        "/usr/local/bin",
        "/opt/homebrew/bin",
    ];
    let installed = folders.map(|folder| Path::new(folder).join("pgbouncer"));
    match std::env::var_os("BOWLINE_PGBOUNCER") {
        Some(program) => PathBuf::from(program),
        None => installed
            .into_iter()
            .find(|path| path.exists())
            .unwrap_or_else(|| PathBuf::from("pgbouncer")),
    }
}

/// Returns the command; if this process runs as root, the command runs under the server's account.
fn command(server: &LocalServer) -> Command {
    let mut command = Command::new(program());
    // PgBouncer refuses to run as root.
    if rustix::process::geteuid().is_root() {
        let owner = fs::metadata(server.socket()).expect("a socket");
        command.uid(owner.uid()).gid(owner.gid());
    }
    command
}
