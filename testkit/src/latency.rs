//! A relay that adds latency to a connection.

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use bowline::testing::LocalServer;

/// A TCP port that forwards to a server's Unix socket, and delays each answer.
///
/// Each piece of data is delayed independently, as on a slow network. The delays of
/// [`Proxy`](crate::Proxy) add up when pieces follow each other closely.
#[derive(Debug)]
pub struct Latency {
    port: u16,
}

impl Latency {
    /// Starts a relay that adds this time to each round trip. It runs until the process ends.
    pub fn start(server: &LocalServer, round_trip: Duration) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = listener.local_addr()?.port();
        let socket = server.socket();
        thread::spawn(move || {
            for client in listener.incoming() {
                let links = client.and_then(|client| Ok((client, UnixStream::connect(&socket)?)));
                if let Ok((client, server)) = links {
                    relay(client, server, round_trip).ok();
                }
            }
        });
        Ok(Self { port })
    }

    /// Returns the URL of this database through the relay.
    pub fn url(&self, dbname: &str) -> String {
        format!(
            "postgresql://postgres@127.0.0.1:{}/{dbname}?sslmode=disable",
            self.port
        )
    }
}

/// Forwards in both directions, on separate threads.
fn relay(client: TcpStream, server: UnixStream, round_trip: Duration) -> io::Result<()> {
    client.set_nodelay(true)?;
    let (mut requests, mut to_server) = (client.try_clone()?, server.try_clone()?);
    thread::spawn(move || {
        io::copy(&mut requests, &mut to_server).ok();
        to_server.shutdown(Shutdown::Both).ok();
    });
    let (sender, receiver) = mpsc::channel::<(Instant, Vec<u8>)>();
    thread::spawn(move || {
        let (mut server, mut buffer) = (server, vec![0_u8; 64 * 1024]);
        while let Ok(length @ 1..) = server.read(&mut buffer) {
            let due = Instant::now() + round_trip;
            if sender.send((due, buffer[..length].to_vec())).is_err() {
                break;
            }
        }
    });
    thread::spawn(move || {
        let mut client = client;
        for (due, bytes) in receiver {
            thread::sleep(due.saturating_duration_since(Instant::now()));
            if client.write_all(&bytes).is_err() {
                break;
            }
        }
        client.shutdown(Shutdown::Both).ok();
    });
    Ok(())
}
