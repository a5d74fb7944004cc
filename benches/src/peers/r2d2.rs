//! r2d2 with a manager that tests the socket once per checkout, as Bowline does: the lower limit of
//! a checkout's cost.

use std::io;
use std::os::fd::BorrowedFd;

use ::r2d2::{ManageConnection, Pool};
use rustix::io::Errno;
use rustix::net::{RecvFlags, recv};

use super::Peer;
use super::libpq::Connection;
use crate::contender::{Contender, repeat};
use crate::crowd::Crowd;
use crate::target::Target;

pub struct R2d2;

/// Creates libpq connections, and tests without a round trip whether the server has closed one.
pub struct Peeking {
    url: String,
}

impl ManageConnection for Peeking {
    type Connection = Connection;
    type Error = io::Error;

    fn connect(&self) -> Result<Connection, io::Error> {
        Ok(Connection::open(&self.url))
    }

    fn is_valid(&self, connection: &mut Connection) -> Result<(), io::Error> {
        // SAFETY: the connection is open as long as it is borrowed.
        #[expect(unsafe_code, reason = "the socket belongs to libpq")]
        let socket = unsafe { BorrowedFd::borrow_raw(connection.socket()) };
        let peeked = recv(
            socket,
            &mut [0_u8; 1],
            RecvFlags::PEEK | RecvFlags::DONTWAIT,
        );
        match peeked {
            Err(Errno::AGAIN) => Ok(()),
            _ => Err(io::ErrorKind::ConnectionReset.into()),
        }
    }

    fn has_broken(&self, _: &mut Connection) -> bool {
        false
    }
}

/// Opens a pool of this many connections.
fn pool(target: &Target, sessions: u32) -> Pool<Peeking> {
    let manager = Peeking {
        url: target.url.clone(),
    };
    Pool::builder()
        .max_size(sessions)
        .build(manager)
        .expect("a pool")
}

impl Peer for R2d2 {
    fn checkout(&self) -> Vec<Contender> {
        vec![Contender::new("r2d2, peek", |target| {
            let pool = pool(target, 4);
            repeat(move || drop(pool.get().expect("a connection")))
        })]
    }

    fn crowd_checkout(&self) -> Vec<Crowd> {
        let open = |target: &Target, sessions| pool(target, sessions as u32);
        vec![Crowd::threads("r2d2, peek", open, |pool, _| {
            drop(pool.get().expect("a connection"));
        })]
    }
}
