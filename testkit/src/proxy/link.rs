//! One proxied connection.

use std::net::Shutdown;
use std::sync::atomic::{AtomicBool, Ordering};

use super::control::{Control, Direction, Ending, Leave};
use super::messages::Messages;
use super::socket::Stream;

/// Both sides of a connection.
///
/// Neither socket has a second handle, because a reset is sent only when the last handle is closed.
#[derive(Debug)]
pub(super) struct Link {
    client: Stream,
    server: Stream,
    /// True if the client has sent data that is not answered yet.
    pub(super) asking: AtomicBool,
    /// True after a cut: no more data is forwarded in either direction.
    pub(super) is_cut: AtomicBool,
    /// True if the connection ends by a reset, which an orderly shutdown would prevent.
    resetting: AtomicBool,
}

impl Link {
    pub(super) fn new(client: Stream, server: Stream) -> Self {
        Self {
            client,
            server,
            asking: AtomicBool::new(false),
            is_cut: AtomicBool::new(false),
            resetting: AtomicBool::new(false),
        }
    }

    /// Ends both sides; the forwarding threads notice.
    pub(super) fn end(&self, ending: Ending) {
        for stream in [&self.client, &self.server] {
            match ending {
                Ending::Fin if !self.resetting.load(Ordering::SeqCst) => {
                    stream.shutdown(Shutdown::Both);
                }
                Ending::Fin => {}
                Ending::Rst => {
                    self.resetting.store(true, Ordering::SeqCst);
                    stream.reset_when_closed();
                    // Wakes the reading thread without sending anything.
                    stream.shutdown(Shutdown::Read);
                }
            }
        }
    }

    /// Forwards in one direction until the end.
    pub(super) fn pass(&self, direction: Direction, control: &Control) {
        let (from, to) = match direction {
            Direction::ToServer => (&self.client, &self.server),
            Direction::ToClient => (&self.server, &self.client),
        };
        let mut messages = Messages::of(direction);
        let mut buffer = [0_u8; 64 * 1024];
        let ending = loop {
            let length = from.read(&mut buffer).unwrap_or(0);
            // A piece is counted before it is forwarded, since a client may read the counters as
            // soon as it has the answer.
            let leave = control.leave(direction, &buffer[..length], &mut messages, self);
            let (passing, cut) = match leave {
                Leave::Pass => (length, None),
                Leave::Cut(passing, ending) => (passing, Some(ending)),
                // The thread that cut the connection ends it.
                Leave::Gone => return,
            };
            let is_over = length == 0 || to.write_all(&buffer[..passing]).is_err();
            match cut {
                Some(ending) => break ending,
                None if is_over => break Ending::Fin,
                None => {}
            }
        };
        self.end(ending);
    }
}

#[cfg(test)]
mod tests {
    use std::io::{ErrorKind, Read as _};
    use std::net::{Ipv4Addr, TcpListener, TcpStream};
    use std::os::unix::net::UnixStream;

    use super::*;

    /// Returns the result of a client's read after its connection has ended in this way.
    fn read_after(ending: Ending) -> std::io::Result<usize> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let mut client =
            TcpStream::connect(listener.local_addr().expect("an address")).expect("a listener");
        let (server, _far) = UnixStream::pair().expect("a pair");
        let accepted = Stream::Tcp(listener.accept().expect("a client").0);
        Link::new(accepted, Stream::Unix(server)).end(ending);
        client.read(&mut [0_u8])
    }

    #[test]
    fn a_reset_is_a_reset_and_an_end_is_an_end() {
        assert_eq!(
            read_after(Ending::Rst).expect_err("a reset").kind(),
            ErrorKind::ConnectionReset
        );
        assert_eq!(read_after(Ending::Fin).expect("an end"), 0);
    }
}
