//! Answers of 1 byte to 1 MiB that arrive in pieces and are cut anywhere, with and without TLS: the
//! call returns the whole answer or fails at once. Both faces of the database are called.
//!
//! libpq and OpenSSL read more than was asked for, and keep it. A task that waits for the socket
//! then would wait for ever.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use bowline::retry::RetryPolicy;
use bowline::{Config, ErrorKind, sql_query};
use diesel::sql_types::Integer;
use testkit::tls::tls_server;

use super::face::{FACES, Face};

/// Passes connections on in small pieces, and cuts them after a number of bytes to the client.
struct Pieces {
    port: u16,
    /// The number of bytes that may still be passed to the client.
    left: Arc<AtomicU64>,
}

const ALL: u64 = u64::MAX / 2;

impl Pieces {
    /// Listens, and passes connections on to this port.
    fn start(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let left = Arc::new(AtomicU64::new(ALL));
        let budget = Arc::clone(&left);
        thread::spawn(move || {
            for client in listener.incoming() {
                let server = TcpStream::connect(("127.0.0.1", server)).expect("the server");
                let client = client.expect("a client");
                let both = |stream: &TcpStream| stream.try_clone().expect("a descriptor");
                let (to_server, to_client) = ((both(&client), both(&server)), (server, client));
                thread::spawn(move || pass(to_server.0, to_server.1, &AtomicU64::new(ALL)));
                let budget = Arc::clone(&budget);
                thread::spawn(move || pass(to_client.0, to_client.1, &budget));
            }
        });
        Self { port, left }
    }
}

/// Passes bytes on in pieces of different lengths, until there are none or `left` are passed.
fn pass(mut from: TcpStream, mut to: TcpStream, left: &AtomicU64) {
    to.set_nodelay(true).expect("a socket");
    let (mut buffer, mut round) = (vec![0; 64 * 1024], 0);
    'passing: while let Ok(length @ 1..) = from.read(&mut buffer) {
        let mut rest = &buffer[..length];
        while !rest.is_empty() {
            round += 1;
            let size = [1, 4096, 7, 20_000, 333][round % 5].min(rest.len());
            let allowed = left.load(Ordering::SeqCst).min(size as u64);
            left.fetch_sub(allowed, Ordering::SeqCst);
            let allowed = usize::try_from(allowed).expect("at most the size");
            if to.write_all(&rest[..allowed]).is_err() {
                break 'passing;
            }
            if allowed < size {
                // The next connection is a whole one.
                left.store(ALL, Ordering::SeqCst);
                break 'passing;
            }
            rest = &rest[size..];
        }
    }
    to.shutdown(Shutdown::Both).ok();
    from.shutdown(Shutdown::Both).ok();
}

/// Returns places in an answer of this many bytes: its ends, those about the blocks in which libpq
/// and OpenSSL read, and some between.
fn cuts(length: u64) -> Vec<u64> {
    let about = |place: u64| place.saturating_sub(2)..=place + 2;
    let blocks = [8_192, 16_384, 16_406, 32_768, 65_536, 524_288];
    let mut cuts: Vec<u64> = (0..=12).chain(blocks.into_iter().flat_map(about)).collect();
    cuts.extend((1..8).map(|part| length / 8 * part + 1));
    cuts.extend(length.saturating_sub(12)..=length);
    cuts.retain(|cut| *cut <= length);
    cuts.sort_unstable();
    cuts.dedup();
    cuts
}

fn ask(face: &Face, length: i32) -> bowline::Result<String> {
    let query = sql_query("SELECT repeat('x', $1)").bind::<Integer, _>(length);
    face.run(query.one::<String>())
}

fn sweep(face: &Face, pieces: &Pieces, length: i32) {
    let wanted = "x".repeat(length.try_into().expect("positive"));
    let whole = ask(face, length).expect("an answer");
    assert_eq!(whole, wanted);
    pieces.left.store(ALL, Ordering::SeqCst);
    ask(face, length).expect("an answer");
    // What follows ReadyForQuery arrives too.
    thread::sleep(Duration::from_millis(20));
    let total = ALL - pieces.left.load(Ordering::SeqCst);
    assert!(total > length.try_into().expect("positive"));
    for cut in cuts(total) {
        pieces.left.store(ALL, Ordering::SeqCst);
        ask(face, 1).expect("an answer over a new connection");
        pieces.left.store(cut, Ordering::SeqCst);
        let asked = Instant::now();
        let answered = ask(face, length);
        let took = asked.elapsed();
        assert!(took < Duration::from_secs(4), "{took:?}, {cut} of {total}");
        match answered {
            Ok(whole) => {
                assert_eq!(whole, wanted, "{cut} of {total}");
                assert!(cut > total / 2, "{cut} of {total}");
            }
            Err(error) => {
                let shown = format!("{cut} of {total}: {error:?}");
                assert_eq!(error.kind(), ErrorKind::Unavailable, "{shown}");
            }
        }
    }
    pieces.left.store(ALL, Ordering::SeqCst);
}

fn cut_everywhere(configure: impl Fn(Config) -> Config) {
    let server = tls_server();
    for face in FACES {
        let pieces = Pieces::start(server.port());
        let config = configure(server.ann().port(pieces.port)).max_size(1);
        let config = config.retry(RetryPolicy::never());
        let db = config.call_timeout(Duration::from_secs(30)).open();
        let face = face(&db.expect("a server"));
        for length in [1, 8_000, 100_000, 1 << 20] {
            sweep(&face, &pieces, length);
        }
    }
}

#[test]
fn an_answer_that_is_cut_anywhere_ends_its_call() {
    cut_everywhere(|config| config.parameter("sslmode", "disable"));
}

#[test]
fn an_encrypted_answer_that_is_cut_ends_its_call() {
    cut_everywhere(|config| config);
}
