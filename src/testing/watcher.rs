//! Ends a server when the last process that uses it has ended, in whatever way.
//!
//! Each user holds the writing end of a named pipe open. The kernel closes it when the process
//! ends, killed or not. A small shell process, the watcher, reads the other end. At end of file no
//! user is left, so it stops the server and removes the directories. A new user writes its number
//! and waits until the watcher has acknowledged it, so that no process can join a server that is
//! about to stop.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::OFlags;

use super::LocalServerError;
use super::account::Account;
use super::cluster::Cluster;

/// A handle that keeps a server running while it is held.
#[derive(Debug)]
pub(super) struct Membership {
    _pipe: File,
}

/// The script of the watcher, in the directory of the user who starts the server. Once no user is
/// left, it waits a while for another one. Then it has the server stopped and removes both
/// directories.
///
/// It waits by a process that holds the pipe open like a user.
const WATCH: &str = r#"
trap '' HUP INT TERM
mkfifo -m 600 "$1/users" || exit 1
while :; do
    joined=
    while read -r user; do : > "$1/joined.$user"; joined=$user; done < "$1/users"
    [ "$3" -gt 0 ] && [ -n "$joined" ] || break
    sleep "$3" < /dev/null > "$1/users" &
done
echo stop
read -r stopped
rm -rf "$2" "$1"
"#;

/// The script that stops the server at the watcher's order, and waits a little for it to end.
///
/// It is a separate process under the account of the server. The account's file names the process
/// to stop, and the account may write anything into it.
const STOP: &str = r#"
trap '' HUP INT TERM
read -r order || exit 0
pid=$(head -n 1 "$1/data/postmaster.pid" 2>/dev/null)
if [ -n "$pid" ] && [ "$(sed -n 2p "$1/data/postmaster.pid")" = "$1/data" ]; then
    kill -QUIT "$pid" 2>/dev/null
    tries=0
    while kill -0 "$pid" 2>/dev/null && [ "$tries" -lt 100 ]; do sleep 0.1; tries=$((tries + 1)); done
fi
"#;

/// Returns whether a cluster that had a watcher has none any more.
///
/// The check also ends a watcher that waits for a first user who was killed. A new watcher may not
/// have opened its pipe yet, so a young directory is left alone.
pub(super) fn is_abandoned(cluster: &Cluster) -> bool {
    let pipe = cluster.own().join("users");
    let made = pipe.symlink_metadata().and_then(|pipe| pipe.modified());
    if !made.is_ok_and(|made| made.elapsed().is_ok_and(|age| age > START_TIME)) {
        return false;
    }
    let has_no_reader = || {
        let opened = open_to_write(&pipe);
        opened.is_err_and(|error| {
            error.raw_os_error() == Some(rustix::io::Errno::NXIO.raw_os_error())
        })
    };
    // A watcher closes its pipe for a moment when the last user is gone.
    has_no_reader() && {
        thread::sleep(Duration::from_millis(100));
        has_no_reader()
    }
}

/// A time longer than any start takes.
const START_TIME: Duration = Duration::from_secs(120);

/// The time that a watcher may take to acknowledge.
const PATIENCE: Duration = Duration::from_secs(10);

/// Starts the watcher of a cluster. After its last user the server stays for this long, or twice as
/// long if that user came within this time after another one.
pub(super) fn watch(cluster: &Cluster, linger: Duration) -> Result<(), LocalServerError> {
    let shell = |script: &str, arguments: &[&Path]| {
        let mut shell = Command::new("/bin/sh");
        shell
            .args(["-c", script, "bowline-watcher"])
            .args(arguments);
        shell
            .current_dir("/")
            .stderr(Stdio::null())
            .process_group(0);
        shell
    };
    let cannot_run = |error| LocalServerError::io("cannot run", Path::new("/bin/sh"), &error);
    let mut stop = shell(STOP, &[&cluster.folder]);
    Account::choose()?.run(&mut stop);
    let mut stopper = stop
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(cannot_run)?;
    // Two pipes connect both scripts. The order goes one way, and the end of the other script is
    // the answer.
    let order = stopper.stdin.take().map_or_else(Stdio::null, Stdio::from);
    let answer = stopper.stdout.take().map_or_else(Stdio::null, Stdio::from);
    let linger = linger.as_secs().to_string();
    let mut child = shell(
        WATCH,
        &[&cluster.own(), &cluster.folder, Path::new(&linger)],
    )
    .stdin(answer)
    .stdout(order)
    .spawn()
    .map_err(cannot_run)?;
    let reaper = thread::Builder::new()
        .name("bowline-reaper".to_owned())
        .spawn(move || {
            child.wait().ok();
            stopper.wait()
        });
    reaper.map(drop).map_err(|error| {
        LocalServerError::new(
            format!("cannot start a thread: {error}"),
            "free some memory",
        )
    })
}

/// Joins the users of a cluster; returns `None` if the cluster has no watcher any more.
pub(super) fn join(cluster: &Cluster) -> Option<Membership> {
    static JOINS: AtomicU32 = AtomicU32::new(0);
    let user = format!(
        "{}-{}",
        std::process::id(),
        JOINS.fetch_add(1, Ordering::Relaxed)
    );
    let own = cluster.own();
    let joined = own.join(format!("joined.{user}"));
    let deadline = Instant::now() + PATIENCE;
    let pipe = loop {
        match announce(&own.join("users"), &user) {
            Ok(pipe) => break pipe,
            // The watcher opens the pipe anew after its last user.
            Err(_) if own.exists() && Instant::now() < deadline => {
                thread::sleep(Duration::from_millis(2));
            }
            Err(_) => return None,
        }
    };
    let mut pause = Duration::from_micros(100);
    while fs::remove_file(&joined).is_err() {
        if Instant::now() > deadline || !own.exists() {
            return None;
        }
        thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(2));
    }
    Some(Membership { _pipe: pipe })
}

/// Opens the pipe, and writes this user's name into it. Fails while no process reads.
fn announce(pipe: &Path, user: &str) -> io::Result<File> {
    let mut pipe = open_to_write(pipe)?;
    pipe.write_all(format!("{user}\n").as_bytes())?;
    Ok(pipe)
}

/// Opens a pipe for writing, without waiting for a reader: fails if there is none.
fn open_to_write(pipe: &Path) -> io::Result<File> {
    let flags = (OFlags::NONBLOCK | OFlags::NOFOLLOW).bits();
    let flags = i32::try_from(flags).map_err(io::Error::other)?;
    OpenOptions::new()
        .write(true)
        .custom_flags(flags)
        .open(pipe)
}
