//! False servers, and a man in the middle.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use testkit::tls::{Certificate, free_port};

const PATIENCE: Duration = Duration::from_secs(10);
/// The code of a request to encrypt (PostgreSQL manual, 55.7, SSLRequest).
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];

/// Plays a server for one client on a free port. Returns the port, and a thread that ends with the
/// result of `play`.
pub(crate) fn play<T: Send + 'static>(
    play: impl FnOnce(&mut TcpStream) -> T + Send + 'static,
) -> (u16, JoinHandle<T>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let port = listener.local_addr().expect("a port").port();
    let player = thread::spawn(move || {
        let (mut client, _) = listener.accept().expect("a client");
        client.set_read_timeout(Some(PATIENCE)).expect("a socket");
        play(&mut client)
    });
    (port, player)
}

/// Reads the request to encrypt, and answers with these bytes.
pub(crate) fn answer_ssl_request(client: &mut TcpStream, answer: &[u8]) {
    let mut request = [0; 8];
    client.read_exact(&mut request).expect("a request");
    assert_eq!(request, SSL_REQUEST);
    client.write_all(answer).expect("the client listens");
}

/// Returns all that the client sends until it closes the connection.
pub(crate) fn hear_out(client: &mut TcpStream) -> Vec<u8> {
    let mut heard = Vec::new();
    // An error of the connection does not matter: what was read until then is returned.
    client.read_to_end(&mut heard).ok();
    heard
}

/// Reads the start-up packet, asks for the password in cleartext (AuthenticationCleartextPassword),
/// and returns it.
pub(crate) fn ask_for_cleartext(client: &mut TcpStream) -> Vec<u8> {
    let mut length = [0; 4];
    client.read_exact(&mut length).expect("a start-up packet");
    let mut packet = vec![0; u32::from_be_bytes(length) as usize - 4];
    client.read_exact(&mut packet).expect("a start-up packet");
    client
        .write_all(&[b'R', 0, 0, 0, 8, 0, 0, 0, 3])
        .expect("the client listens");
    let mut header = [0; 5];
    let mut password = Vec::new();
    // A client that refuses this closes the connection and sends nothing.
    if client.read_exact(&mut header).is_ok() {
        let [_, length @ ..] = header;
        password = vec![0; u32::from_be_bytes(length) as usize - 4];
        client.read_exact(&mut password).expect("the whole of it");
    }
    password
}

/// A man in the middle: ends TLS on both sides, and forwards the decrypted data.
pub(crate) struct ManInTheMiddle {
    pub(crate) port: u16,
    children: Vec<Child>,
}

impl ManInTheMiddle {
    /// Starts for one connection, with a separate certificate that the client trusts. Answers the
    /// request to encrypt with these bytes.
    pub(crate) fn start(certificate: &Certificate, server: u16, answer: &'static [u8]) -> Self {
        let inner = free_port();
        let mut towards_client = openssl(
            Command::new("openssl")
                .args(["s_server", "-quiet", "-naccept", "1", "-accept"])
                .arg(format!("127.0.0.1:{inner}"))
                .arg("-cert")
                .arg(&certificate.certificate)
                .arg("-key")
                .arg(&certificate.key),
        );
        let mut towards_server = openssl(Command::new("openssl").args([
            "s_client",
            "-quiet",
            "-starttls",
            "postgres",
            "-connect",
            &format!("127.0.0.1:{server}"),
        ]));
        pass_on(
            towards_client.stdout.take().expect("a pipe"),
            towards_server.stdin.take().expect("a pipe"),
        );
        pass_on(
            towards_server.stdout.take().expect("a pipe"),
            towards_client.stdin.take().expect("a pipe"),
        );
        let (port, _) = play(move |client| {
            answer_ssl_request(client, answer);
            let deadline = Instant::now() + PATIENCE;
            let inner = loop {
                match TcpStream::connect(("127.0.0.1", inner)) {
                    Ok(inner) => break inner,
                    Err(error) => assert!(Instant::now() < deadline, "{error}"),
                }
                thread::sleep(Duration::from_millis(10));
            };
            let copy = |stream: &TcpStream| stream.try_clone().expect("a socket");
            pass_on(copy(&inner), copy(client));
            pass_on(copy(client), inner).join().expect("no panic");
        });
        Self {
            port,
            children: vec![towards_client, towards_server],
        }
    }
}

impl Drop for ManInTheMiddle {
    fn drop(&mut self) {
        for child in &mut self.children {
            child.kill().ok();
            child.wait().ok();
        }
    }
}

fn openssl(command: &mut Command) -> Child {
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("script/bootstrap installs openssl")
}

fn pass_on(
    mut from: impl std::io::Read + Send + 'static,
    mut to: impl std::io::Write + Send + 'static,
) -> JoinHandle<()> {
    thread::spawn(move || {
        let mut bytes = [0; 4096];
        while let Ok(length @ 1..) = from.read(&mut bytes) {
            if to
                .write_all(&bytes[..length])
                .and_then(|()| to.flush())
                .is_err()
            {
                break;
            }
        }
    })
}
