//! Ends a server when the last process that uses it has ended, in whatever way.
//!
//! Each user holds the writing end of a named pipe open. The kernel closes it when the process
//! ends, killed or not. A small shell process, the watcher, reads the other end. At end of file no
//! user is left, so it stops the server and removes the directories. A new user writes its number
//! and waits until the watcher has acknowledged it, so that no process can join a server that is
//! about to stop.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
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
/// left, it has the server stopped and removes both directories.
const WATCH: &str = r#"
trap '' HUP INT TERM
mkfifo -m 600 "$1/users" || exit 1
while read -r user; do : > "$1/joined.$user"; done < "$1/users"
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
pub(super) fn is_forsaken(cluster: &Cluster) -> bool {
    let flags = OFlags::NONBLOCK | OFlags::NOFOLLOW;
    let Ok(flags) = i32::try_from(flags.bits()) else {
        return false;
    };
    let pipe = cluster.own().join("users");
    let made = pipe.symlink_metadata().and_then(|pipe| pipe.modified());
    if !made.is_ok_and(|made| made.elapsed().is_ok_and(|age| age > A_WHILE)) {
        return false;
    }
    let opened = OpenOptions::new()
        .write(true)
        .custom_flags(flags)
        .open(pipe);
    opened.is_err_and(|error| error.raw_os_error() == Some(rustix::io::Errno::NXIO.raw_os_error()))
}

/// A time longer than any start takes.
const A_WHILE: Duration = Duration::from_secs(120);

/// The time that a watcher may take to acknowledge.
const PATIENCE: Duration = Duration::from_secs(10);

/// Starts the watcher of a cluster.
pub(super) fn watch(cluster: &Cluster) -> Result<(), LocalServerError> {
    let shell = |script: &str, folders: &[&Path]| {
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", script, "bowline-watcher"]).args(folders);
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
    let mut child = shell(WATCH, &[&cluster.own(), &cluster.folder])
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
    // A non-blocking open for writing fails while no process reads.
    let mut pipe = loop {
        let flags = OFlags::NONBLOCK | OFlags::NOFOLLOW;
        let flags = i32::try_from(flags.bits()).ok()?;
        match OpenOptions::new()
            .write(true)
            .custom_flags(flags)
            .open(own.join("users"))
        {
            Ok(pipe) => break pipe,
            Err(_) if !own.exists() => return None,
            Err(_) if Instant::now() > deadline => return None,
            Err(_) => thread::sleep(Duration::from_millis(5)),
        }
    };
    writeln!(pipe, "{user}").ok()?;
    while !joined.exists() {
        if Instant::now() > deadline || !own.exists() {
            return None;
        }
        thread::sleep(Duration::from_millis(2));
    }
    Some(Membership { _pipe: pipe })
}
