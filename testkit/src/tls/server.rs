//! A server with TLS and password authentication, on a TCP port.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::Path;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use bowline::testing::LocalServer;
use bowline::{Config, Session, sql_query};
use diesel::connection::SimpleConnection as _;
use diesel::sql_types::Text;

use super::certificates::{Authority, Certificate};

/// The password of the roles `ann` and `dora`.
pub const PASSWORD: &str = "correct horse";

const HBA: &str = "
local     all      all                scram-sha-256
hostssl   postgres carl  127.0.0.1/32 cert
hostssl   postgres dora  127.0.0.1/32 password
hostssl   template1 dora 127.0.0.1/32 scram-sha-256
host      postgres all   127.0.0.1/32 scram-sha-256
";

/// A private server with TLS and password authentication.
#[derive(Debug)]
pub struct TlsServer {
    server: LocalServer,
    port: u16,
    /// The authority that signed the server's certificate.
    pub authority: Authority,
}

impl TlsServer {
    /// Starts a server with the roles `ann` (`scram-sha-256`), `dora` (`password`) and `carl`
    /// (`cert`).
    ///
    /// The server has a certificate for `localhost` and 127.0.0.1.
    pub fn start() -> Self {
        let port = free_port();
        let server = LocalServer::private(&[
            ("listen_addresses", "127.0.0.1"),
            ("port", &port.to_string()),
            ("ssl_ca_file", "root.crt"),
        ])
        .expect("a server");
        let authority = Authority::new(server.socket_folder(), "authority");
        let server = Self {
            server,
            port,
            authority,
        };
        let roles = format!(
            "CREATE ROLE ann LOGIN PASSWORD '{PASSWORD}'; CREATE ROLE dora LOGIN PASSWORD '{PASSWORD}'; CREATE ROLE carl LOGIN"
        );
        server.administrator().batch_execute(&roles).expect("roles");
        server.install("root.crt", &server.authority.root());
        let certificate = server.authority.sign(
            "localhost",
            "DNS:localhost,IP:127.0.0.1",
            super::Validity::Now,
        );
        server.present(&certificate);
        // From now on the administrator needs a password too.
        server
            .administrator()
            .batch_execute(&format!("ALTER ROLE postgres PASSWORD '{PASSWORD}'"))
            .expect("a password");
        fs::write(server.data().join("pg_hba.conf"), HBA).expect("the file is there");
        server.reload();
        server
    }

    /// Returns the configuration of a connection by TCP as this user, without `sslmode`.
    pub fn config(&self, user: &str) -> Config {
        Config::new()
            .host("localhost")
            .parameter("hostaddr", "127.0.0.1")
            .port(self.port)
            .user(user)
            .dbname("postgres")
    }

    /// Returns the configuration of a connection as `ann` with `sslmode=verify-full`.
    pub fn ann(&self) -> Config {
        self.config("ann")
            .password(PASSWORD)
            .parameter("sslmode", "verify-full")
            .parameter("sslrootcert", self.authority.root().to_string_lossy())
    }

    /// Returns the TCP port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Returns a folder for the files of a test.
    pub fn folder(&self) -> &Path {
        self.server.socket_folder()
    }

    /// Returns the text of the server's log.
    pub fn log(&self) -> String {
        fs::read_to_string(self.server.log()).expect("a log")
    }

    /// Makes the server use this certificate for new connections.
    pub fn present(&self, certificate: &Certificate) {
        self.install("server.crt", &certificate.certificate);
        self.install("server.key", &certificate.key);
        self.administrator()
            .batch_execute("ALTER SYSTEM SET ssl = on")
            .expect("a setting");
        self.reload();
    }

    fn install(&self, name: &str, from: &Path) {
        let to = self.data().join(name);
        fs::copy(from, &to).expect("a copy");
        fs::set_permissions(&to, fs::Permissions::from_mode(0o600)).expect("ours");
        let owner = fs::metadata(self.data()).expect("a folder");
        chown(&to, Some(owner.uid()), Some(owner.gid())).expect("the server's");
    }

    /// Reloads the server's files, and waits until new connections use them.
    fn reload(&self) {
        let before = self.loaded();
        self.administrator()
            .batch_execute("SELECT pg_reload_conf()")
            .expect("an answer");
        let deadline = Instant::now() + Duration::from_secs(10);
        while self.loaded() == before {
            assert!(
                Instant::now() < deadline,
                "the server does not reload: {}",
                self.log()
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn loaded(&self) -> String {
        #[derive(bowline::Row)]
        struct Loaded {
            #[diesel(sql_type = Text)]
            at: String,
        }
        let loaded = sql_query("SELECT pg_conf_load_time()::text AS at").one::<Loaded>();
        self.administrator().run(loaded).expect("a time").at
    }

    /// Connects as the administrator.
    pub fn administrator(&self) -> Session {
        let config = self.server.config("postgres").password(PASSWORD);
        Session::connect(&config).expect("the server takes its administrator")
    }

    fn data(&self) -> std::path::PathBuf {
        self.folder().join("data")
    }
}

/// Returns a free port below those that the system assigns.
pub fn free_port() -> u16 {
    static TAKEN: AtomicU16 = AtomicU16::new(0);
    let start = (std::process::id() % 100) as u16 * 100;
    let port = (0..10_000).find_map(|_| {
        let port = 20_000 + (start + TAKEN.fetch_add(1, Ordering::Relaxed)) % 10_000;
        TcpListener::bind(("127.0.0.1", port)).ok().map(|_| port)
    });
    port.expect("a free port among ten thousand")
}
