//! A server that sends the bytes that a test defines.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use bowline::{Config, Session};

/// A server on a free TCP port that runs a function for each client.
#[derive(Debug)]
pub struct FakeServer {
    port: u16,
    received: Arc<Mutex<Vec<u8>>>,
    stopped: Arc<AtomicBool>,
}

/// The server's side of one connection.
#[derive(Debug)]
pub struct Client {
    /// The socket.
    pub stream: TcpStream,
    received: Arc<Mutex<Vec<u8>>>,
}

impl FakeServer {
    /// The time limit for connecting to a fake server, and for each call on the session of
    /// [`FakeServer::connect`].
    pub const LIMIT: Duration = Duration::from_millis(300);

    /// Starts a server that runs `play` for each client, on a separate thread.
    pub fn start(play: impl Fn(&mut Client) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let received = Arc::<Mutex<Vec<u8>>>::default();
        let stopped = Arc::new(AtomicBool::new(false));
        let (all_received, is_stopped, play) =
            (Arc::clone(&received), Arc::clone(&stopped), Arc::new(play));
        thread::spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                if is_stopped.load(Ordering::SeqCst) {
                    return;
                }
                stream.set_nodelay(true).expect("a TCP socket");
                let (received, play) = (Arc::clone(&all_received), Arc::clone(&play));
                thread::spawn(move || play(&mut Client { stream, received }));
            }
        });
        Self {
            port,
            received,
            stopped,
        }
    }

    /// Starts a server that sends these bytes after a client's first message, and then nothing
    /// else.
    pub fn greeting(bytes: Vec<u8>) -> Self {
        Self::start(move |client| {
            client.read();
            client.send(&bytes);
            client.wait_for_close();
        })
    }

    /// Starts a server that accepts a client as PostgreSQL does, and answers its next message with
    /// these bytes.
    pub fn answering(bytes: Vec<u8>) -> Self {
        Self::start(move |client| {
            client.welcome();
            client.read();
            client.send(&bytes);
            client.wait_for_close();
        })
    }

    /// Returns the configuration of a connection to this server, without encryption.
    pub fn config(&self) -> Config {
        Config::new()
            .host("127.0.0.1")
            .port(self.port)
            .user("ann")
            .dbname("bank")
            .parameter("sslmode", "disable")
            .connect_timeout(Self::LIMIT)
    }

    /// Connects to this server; each call on the session has the limit [`FakeServer::LIMIT`].
    pub fn connect(&self) -> Session {
        let mut session = Session::connect(&self.config()).expect("a welcome");
        session.set_timeout(Self::LIMIT);
        session
    }

    /// Returns true if a client has sent these bytes.
    pub fn has_received(&self, bytes: &[u8]) -> bool {
        let received = self.received.lock().unwrap_or_else(PoisonError::into_inner);
        received.windows(bytes.len()).any(|part| part == bytes)
    }
}

impl Drop for FakeServer {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
        // Wakes the thread that accepts connections.
        TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).ok();
    }
}

impl Client {
    /// Waits for the client's next bytes.
    pub fn read(&mut self) {
        let mut buffer = [0_u8; 16 * 1024];
        let length = self.stream.read(&mut buffer).unwrap_or(0);
        let mut received = self.received.lock().unwrap_or_else(PoisonError::into_inner);
        received.extend_from_slice(&buffer[..length]);
    }

    /// Sends these bytes; returns false if the client has closed the connection.
    pub fn send(&mut self, bytes: &[u8]) -> bool {
        self.stream.write_all(bytes).is_ok()
    }

    /// Accepts the client without authentication.
    pub fn welcome(&mut self) {
        self.read();
        self.send(&welcome());
    }

    /// Sends these bytes one by one, 20 ms apart.
    pub fn trickle(&mut self, bytes: &[u8]) {
        for byte in bytes {
            if !self.send(&[*byte]) {
                return;
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until the client closes the connection, 20 s at most.
    pub fn wait_for_close(&mut self) {
        self.stream
            .set_read_timeout(Some(Duration::from_secs(20)))
            .expect("a TCP socket");
        while matches!(self.stream.read(&mut [0_u8; 1024]), Ok(1..)) {}
    }
}

/// Returns a message of the protocol (PostgreSQL manual, 55.7).
pub fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 4).expect("a short body");
    message_with_length(kind, length, body)
}

/// Returns a message with this length in its header, which may be wrong.
pub fn message_with_length(kind: u8, length: u32, body: &[u8]) -> Vec<u8> {
    [&[kind], &length.to_be_bytes()[..], body].concat()
}

/// Returns an ErrorResponse.
pub fn error_response(severity: &str, code: &str, text: &str) -> Vec<u8> {
    let fields = format!("S{severity}\0V{severity}\0C{code}\0M{text}\0\0");
    message(b'E', fields.as_bytes())
}

/// Returns the messages from AuthenticationOk to ReadyForQuery, by which a server accepts a client.
pub fn welcome() -> Vec<u8> {
    const AUTHENTICATION_OK: [u8; 4] = [0; 4];
    let parameters = [
        "server_version\x0015.0\0",
        "server_encoding\0UTF8\0",
        "client_encoding\0UTF8\0",
        "standard_conforming_strings\0on\0",
        "integer_datetimes\0on\0",
    ];
    let mut messages = message(b'R', &AUTHENTICATION_OK);
    messages.extend(
        parameters
            .iter()
            .flat_map(|parameter| message(b'S', parameter.as_bytes())),
    );
    messages.extend(message(b'K', &[0, 0, 0, 1, 0, 0, 0, 2]));
    messages.extend(message(b'Z', b"I"));
    messages
}
