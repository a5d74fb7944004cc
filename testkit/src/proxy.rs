//! A proxy between a program and its server: it counts round trips and causes faults.
//!
//! `socket.rs` has its sockets, `link.rs` one proxied connection, `control.rs` its settings and
//! counters, `messages.rs` finds the end of each protocol message.

mod control;
mod link;
mod messages;
mod socket;

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use bowline::Config;
use bowline::testing::LocalServer;
use rustix::event::{PollFd, PollFlags, poll};

use control::{Control, Door};
use link::Link;
use socket::{Address, Listener, Stream};

pub use control::{Direction, Ending, Message, Passed};

/// A proxy in front of a server. It counts bytes, messages and round trips, and causes faults on
/// request.
///
/// A fault applies to open and to new connections, until [`Proxy::resume`]. On an encrypted
/// connection the proxy counts only bytes.
#[derive(Debug)]
pub struct Proxy {
    address: Address,
    /// The folder of a Unix socket, which the proxy removes when it is dropped.
    folder: Option<PathBuf>,
    control: Arc<Control>,
    waker: UnixStream,
}

impl Proxy {
    /// Starts a proxy on a new Unix socket.
    pub fn start(server: &LocalServer) -> io::Result<Self> {
        static PROXIES: AtomicU32 = AtomicU32::new(0);
        let name = format!(
            "proxy-{}-{}",
            std::process::id(),
            PROXIES.fetch_add(1, Ordering::Relaxed)
        );
        // Beside the server's folder, whose path is short enough for a socket.
        let folder = server.socket_folder().with_file_name(name);
        fs::create_dir(&folder)?;
        let address = Address::Unix(folder.join(".s.PGSQL.5432"));
        Self::listen(address, Some(folder), server)
    }

    /// Starts a proxy on a free TCP port of 127.0.0.1. It connects to the server by its Unix
    /// socket.
    pub fn start_tcp(server: &LocalServer) -> io::Result<Self> {
        Self::listen(Address::Tcp(0), None, server)
    }

    fn listen(address: Address, folder: Option<PathBuf>, server: &LocalServer) -> io::Result<Self> {
        let (listener, address) = Listener::bind(&address)?;
        let (waker, woken) = UnixStream::pair()?;
        let control = Arc::new(Control::default());
        let keeper = DoorKeeper {
            address: address.clone(),
            target: server.socket(),
            control: Arc::clone(&control),
            woken,
        };
        thread::Builder::new()
            .name("bowline-proxy".to_owned())
            .spawn(move || keeper.keep(listener))?;
        Ok(Self {
            address,
            folder,
            control,
            waker,
        })
    }

    /// Returns the configuration of a connection to this database through the proxy, without
    /// encryption.
    pub fn config(&self, dbname: &str) -> Config {
        let config = Config::new().user("postgres").dbname(dbname);
        match (&self.address, &self.folder) {
            (Address::Tcp(port), _) => config
                .host("127.0.0.1")
                .port(*port)
                .parameter("sslmode", "disable"),
            (Address::Unix(_), folder) => config
                .host(folder.as_deref().unwrap_or("".as_ref()).to_string_lossy())
                .port(5432),
        }
    }

    /// Returns the URL of this database through the proxy, for other processes.
    pub fn url(&self, dbname: &str) -> String {
        match (&self.address, &self.folder) {
            (Address::Tcp(port), _) => {
                format!("postgresql://postgres@127.0.0.1:{port}/{dbname}?sslmode=disable")
            }
            (Address::Unix(_), folder) => {
                let folder = folder.as_deref().unwrap_or("".as_ref()).to_string_lossy();
                format!(
                    "postgresql://postgres@{}:5432/{dbname}",
                    folder.replace('/', "%2F")
                )
            }
        }
    }

    /// Returns the number of round trips since the start or the last call; connecting counts too.
    ///
    /// A round trip is a change of direction: the client has sent data, and the server answers.
    pub fn take_round_trips(&self) -> usize {
        self.control.with(|state| std::mem::take(&mut state.trips))
    }

    /// Returns the number of connections so far.
    pub fn connections(&self) -> usize {
        self.control.with(|state| state.connections)
    }

    /// Returns the bytes and messages forwarded in this direction so far, over all connections.
    pub fn passed(&self, direction: Direction) -> Passed {
        self.control.with(|state| state.passed[direction as usize])
    }

    /// Starts to record each forwarded message, until [`Proxy::take_recording`].
    ///
    /// Intended for one connection at a time. Memory use is not limited.
    pub fn record(&self) {
        self.control
            .with(|state| state.recording = Some(Vec::new()));
    }

    /// Ends the recording and returns its messages, in the order in which they were complete.
    pub fn take_recording(&self) -> Vec<Message> {
        self.control
            .with(|state| state.recording.take().unwrap_or_default())
    }

    /// Delays all data in this direction by this time.
    pub fn delay(&self, direction: Direction, pause: Duration) {
        self.control
            .with(|state| state.delays[direction as usize] = pause);
    }

    /// Forwards this number of bytes in this direction, then ends the connection of the last byte,
    /// once.
    ///
    /// The connection ends on both sides. Bytes are counted over all connections. With 0 bytes, the
    /// next connection that sends data ends, and the data is not forwarded.
    pub fn cut_after(&self, direction: Direction, bytes: u64, ending: Ending) {
        self.control
            .with(|state| state.cuts[direction as usize] = Some((bytes, ending)));
    }

    /// Ends all open connections, on both sides.
    pub fn cut(&self, ending: Ending) {
        let links = self.control.with(|state| state.links.clone());
        links.values().for_each(|link| link.end(ending));
    }

    /// Stops forwarding in both directions. The end of a connection is not forwarded either, so all
    /// connections stay open.
    pub fn freeze(&self) {
        self.control.with(|state| state.frozen = true);
    }

    /// Refuses new connections, as if no server listened, from the return of this function on. Open
    /// connections continue.
    pub fn refuse(&self) {
        self.set_door(Door::Refusing);
    }

    /// Stops accepting connections: the kernel completes a new connection, and none of its bytes
    /// are read. Open connections continue.
    pub fn stop_accepting(&self) {
        self.set_door(Door::Silent);
    }

    /// Ends all faults: forwards the data that was held back, and accepts connections.
    pub fn resume(&self) {
        self.control.with(|state| {
            state.frozen = false;
            state.delays = Default::default();
            state.cuts = Default::default();
        });
        self.set_door(Door::Open);
    }

    fn set_door(&self, door: Door) {
        self.control.with(|state| state.wanted = door);
        self.wake();
        self.control.wait_for_door(door);
    }

    fn wake(&self) {
        (&self.waker).write_all(b".").ok();
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let links = self.control.with(|state| {
            state.stopped = true;
            std::mem::take(&mut state.links)
        });
        self.wake();
        links.values().for_each(|link| link.end(Ending::Fin));
        if let Some(folder) = &self.folder {
            fs::remove_dir_all(folder).ok();
        }
    }
}

/// The thread that accepts connections.
struct DoorKeeper {
    address: Address,
    target: PathBuf,
    control: Arc<Control>,
    woken: UnixStream,
}

impl DoorKeeper {
    fn keep(self, listener: Listener) {
        let mut listener = Some(listener);
        while let Some(door) = self.control.wanted_door() {
            match (door, &listener) {
                (Door::Refusing, _) => listener = None,
                (Door::Open | Door::Silent, None) => {
                    // The proxy had this address a moment ago. If it is taken, the thread ends and
                    // `set_door` returns after its patience.
                    let Ok((bound, _)) = Listener::bind(&self.address) else {
                        return;
                    };
                    listener = Some(bound);
                }
                (Door::Open | Door::Silent, Some(_)) => {}
            }
            self.control.door_is(door);
            let mut waits = vec![PollFd::new(&self.woken, PollFlags::IN)];
            if let Some(listener) = listener.as_ref().filter(|_| door == Door::Open) {
                waits.push(PollFd::from_borrowed_fd(listener.as_fd(), PollFlags::IN));
            }
            if poll(&mut waits, None).is_err_and(|error| error != rustix::io::Errno::INTR) {
                return;
            }
            let (woken, called) = (
                !waits[0].revents().is_empty(),
                waits.get(1).is_some_and(|wait| !wait.revents().is_empty()),
            );
            drop(waits);
            if woken {
                // The loop reads the wanted state again in any case.
                (&self.woken).read_exact(&mut [0_u8]).ok();
            } else if let Some(client) = listener
                .as_ref()
                .filter(|_| called)
                .and_then(|listener| listener.accept().ok())
            {
                self.admit(client);
            }
        }
    }

    fn admit(&self, client: Stream) {
        let Ok(server) = UnixStream::connect(&self.target) else {
            return;
        };
        let link = Arc::new(Link::new(client, Stream::Unix(server)));
        let number = self.control.with(|state| {
            state.connections += 1;
            state.links.insert(state.connections, Arc::clone(&link));
            state.connections
        });
        for direction in [Direction::ToServer, Direction::ToClient] {
            let (link, control) = (Arc::clone(&link), Arc::clone(&self.control));
            thread::spawn(move || {
                link.pass(direction, &control);
                control.with(|state| state.links.remove(&number));
            });
        }
    }
}
