//! A proxy between a program and its server, for tests: it counts from outside, and it breaks things.
//!
//! `socket.rs` is what it listens on, `link.rs` one connection that it passes on, `control.rs` what it was
//! told to do and what it has seen, `messages.rs` where one message of the protocol ends.

mod control;
mod link;
mod messages;
mod socket;

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};

use super::runtime_folder::runtime_folder;
use super::{LocalServer, LocalServerError};
use crate::config::Config;
use control::{Control, Door};
use link::Link;
use socket::{Address, Listener, Stream};

pub use control::{Direction, Ending, Message, Passed};

/// A proxy in front of a server: it counts what it passes on, and it delays, cuts, freezes or refuses
/// when it is told to.
///
/// What it is told holds for the connections that are open and for those to come, until
/// [`Proxy::resume`]. It understands as much of the protocol as it needs to count messages; of an encrypted
/// connection it counts bytes only.
#[derive(Debug)]
pub struct Proxy {
    address: Address,
    /// Of a Unix socket; removed with it.
    folder: Option<PathBuf>,
    control: Arc<Control>,
    waker: UnixStream,
}

impl Proxy {
    /// Listens on a Unix socket of its own and passes all on to the server.
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
        let address = Address::Unix(folder.join(".s.PGSQL.5432"));
        Self::listen(address, Some(folder), server)
    }

    /// Listens on a free TCP port of 127.0.0.1 and passes all on to the server's Unix socket.
    pub fn start_tcp(server: &LocalServer) -> Result<Self, LocalServerError> {
        Self::listen(Address::Tcp(0), None, server)
    }

    fn listen(
        address: Address,
        folder: Option<PathBuf>,
        server: &LocalServer,
    ) -> Result<Self, LocalServerError> {
        let (listener, address) = Listener::bind(&address).map_err(|error| {
            LocalServerError::new(
                format!("cannot listen: {error}"),
                "look at how many files this process has open",
            )
        })?;
        let failed = |error: std::io::Error| {
            LocalServerError::new(
                format!("cannot start the proxy: {error}"),
                "free some memory",
            )
        };
        let (waker, woken) = UnixStream::pair().map_err(failed)?;
        let control = Arc::new(Control::default());
        let keeper = DoorKeeper {
            address: address.clone(),
            target: server.socket(),
            control: Arc::clone(&control),
            woken,
        };
        thread::Builder::new()
            .name("bowline-proxy".to_owned())
            .spawn(move || keeper.keep(listener))
            .map_err(failed)?;
        Ok(Self {
            address,
            folder,
            control,
            waker,
        })
    }

    /// Where to connect for this database, through the proxy; without encryption.
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

    /// Where to connect for this database, through the proxy, as a URL; for programs that are no part of this one.
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

    /// How many round trips there were since the start or the last call, those of connecting included.
    ///
    /// A round trip is one turn of the conversation: the client has spoken, and the server answers.
    pub fn take_round_trips(&self) -> usize {
        self.control.with(|state| std::mem::take(&mut state.trips))
    }

    /// How many connections were made so far.
    pub fn connections(&self) -> usize {
        self.control.with(|state| state.connections)
    }

    /// What was passed on in this direction so far, over all connections.
    pub fn passed(&self, direction: Direction) -> Passed {
        self.control.with(|state| state.passed[direction as usize])
    }

    /// Keeps each message that is passed on from now, whole; [`Proxy::take_recording`] gives them and ends it.
    ///
    /// Meant for one connection at a time; memory is not bounded.
    pub fn record(&self) {
        self.control
            .with(|state| state.recording = Some(Vec::new()));
    }

    /// The messages since [`Proxy::record`], in the order in which they were complete; ends the recording.
    pub fn take_recording(&self) -> Vec<Message> {
        self.control
            .with(|state| state.recording.take().unwrap_or_default())
    }

    /// Holds each piece of a conversation back for so long before it is passed on in this direction.
    pub fn delay(&self, direction: Direction, pause: Duration) {
        self.control
            .with(|state| state.delays[direction as usize] = pause);
    }

    /// Lets this many more bytes pass in this direction, then ends the connection that the last of them was
    /// of, on both of its sides; once.
    ///
    /// Counted over all connections. With 0 bytes it is the connection that says something next, and nobody
    /// hears it.
    pub fn cut_after(&self, direction: Direction, bytes: u64, ending: Ending) {
        self.control
            .with(|state| state.cuts[direction as usize] = Some((bytes, ending)));
    }

    /// Ends all connections that are open now, on both sides.
    pub fn cut(&self, ending: Ending) {
        let links = self.control.with(|state| state.links.clone());
        links.values().for_each(|link| link.end(ending));
    }

    /// Passes nothing on any more, in either direction, not even an end; all stays connected.
    pub fn freeze(&self) {
        self.control.with(|state| state.frozen = true);
    }

    /// Refuses new connections from when this returns, as a server does that is not there; open ones go on.
    pub fn refuse(&self) {
        self.set_door(Door::Refusing);
    }

    /// Accepts no more connections: who connects is taken by the kernel, and hears nothing. Open ones go on.
    pub fn be_deaf(&self) {
        self.set_door(Door::Deaf);
    }

    /// Takes back all that it was told: passes on what was held back, and accepts connections.
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

/// Accepts connections, or does not.
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
                (Door::Open | Door::Deaf, None) => {
                    // The address was ours a moment ago; without it the door stays shut, and who opens it is not told so.
                    let Ok((bound, _)) = Listener::bind(&self.address) else {
                        return;
                    };
                    listener = Some(bound);
                }
                (Door::Open | Door::Deaf, Some(_)) => {}
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
                // What is wanted is looked up again in any case.
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
