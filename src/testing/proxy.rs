//! A proxy between a program and its server that counts round trips from outside.

use std::fs;
use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use super::runtime_folder::runtime_folder;
use super::{LocalServer, LocalServerError};
use crate::config::Config;

/// A counting proxy in front of a server's Unix socket.
///
/// A round trip is one turn of the conversation: the client has spoken, and the server answers.
#[derive(Debug)]
pub struct Proxy {
    folder: PathBuf,
    counts: Arc<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    round_trips: AtomicUsize,
    connections: AtomicUsize,
    stopped: AtomicBool,
    streams: Mutex<Vec<UnixStream>>,
}

impl Proxy {
    /// Listens on a socket of its own and passes all on to the server.
    pub fn start(server: &LocalServer) -> Result<Self, LocalServerError> {
        static PROXIES: AtomicU32 = AtomicU32::new(0);
        let name = format!(
            "proxy-{}-{}",
            std::process::id(),
            PROXIES.fetch_add(1, Ordering::Relaxed)
        );
        let folder = runtime_folder()?.join(name);
        fs::create_dir(&folder)
            .map_err(|error| LocalServerError::io("cannot make", &folder, &error))?;
        let path = socket_in(&folder);
        let listener = UnixListener::bind(&path)
            .map_err(|error| LocalServerError::io("cannot listen on", &path, &error))?;
        let counts = Arc::new(Counts::default());
        let (target, shared) = (server.socket(), Arc::clone(&counts));
        let accepting = thread::Builder::new()
            .name("bowline-proxy".to_owned())
            .spawn(move || accept(&listener, &target, &shared));
        accepting.map_err(|error| {
            LocalServerError::new(
                format!("cannot start a thread: {error}"),
                "free some memory",
            )
        })?;
        Ok(Self { folder, counts })
    }

    /// Where to connect for this database, through the proxy.
    pub fn config(&self, dbname: &str) -> Config {
        Config::new()
            .host(self.folder.to_string_lossy())
            .port(5432)
            .user("postgres")
            .dbname(dbname)
    }

    /// How many round trips there were since the start or the last call, those of connecting included.
    pub fn take_round_trips(&self) -> usize {
        self.counts.round_trips.swap(0, Ordering::SeqCst)
    }

    /// How many connections were made so far.
    pub fn connections(&self) -> usize {
        self.counts.connections.load(Ordering::SeqCst)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.counts.stopped.store(true, Ordering::SeqCst);
        // Wakes the thread that accepts, and ends those that copy.
        UnixStream::connect(socket_in(&self.folder)).ok();
        for stream in self
            .counts
            .streams
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
        {
            stream.shutdown(Shutdown::Both).ok();
        }
        fs::remove_dir_all(&self.folder).ok();
    }
}

fn socket_in(folder: &Path) -> PathBuf {
    folder.join(".s.PGSQL.5432")
}

fn accept(listener: &UnixListener, target: &Path, counts: &Arc<Counts>) {
    while let Ok((client, _)) = listener.accept() {
        if counts.stopped.load(Ordering::SeqCst) {
            return;
        }
        let Ok(server) = UnixStream::connect(target) else {
            continue;
        };
        counts.connections.fetch_add(1, Ordering::SeqCst);
        let (Ok(client_again), Ok(server_again)) = (client.try_clone(), server.try_clone()) else {
            continue;
        };
        let mut streams = counts
            .streams
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        streams.extend(
            [client.try_clone(), server.try_clone()]
                .into_iter()
                .filter_map(Result::ok),
        );
        drop(streams);
        let client_spoke = Arc::new(AtomicBool::new(false));
        let asking = Arc::clone(&client_spoke);
        thread::spawn(move || {
            copy(client, server_again, || {
                asking.store(true, Ordering::SeqCst);
            });
        });
        let counts = Arc::clone(counts);
        thread::spawn(move || {
            copy(server, client_again, || {
                if client_spoke.swap(false, Ordering::SeqCst) {
                    counts.round_trips.fetch_add(1, Ordering::SeqCst);
                }
            });
        });
    }
}

/// Copies until one side closes; tells of each piece before it passes it on.
fn copy(mut from: UnixStream, mut to: UnixStream, tell: impl Fn()) {
    let mut buffer = [0_u8; 64 * 1024];
    loop {
        match from.read(&mut buffer) {
            Ok(0) | Err(_) => break,
            Ok(length) => {
                tell();
                if to.write_all(&buffer[..length]).is_err() {
                    break;
                }
            }
        }
    }
    to.shutdown(Shutdown::Both).ok();
    from.shutdown(Shutdown::Both).ok();
}
