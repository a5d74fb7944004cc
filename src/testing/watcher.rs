//! Ends a server when the last process that uses it is gone, however it went.
//!
//! Each user holds the writing end of a named pipe open; the kernel closes it when the process ends,
//! killed or not. A small shell process reads the other end: at its end nobody is left, so it stops the
//! server and removes the folder. A user who joins writes its number and waits until the watcher has
//! acknowledged it, so that none can join a server that is about to go.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::LocalServerError;
use super::cluster::Cluster;

/// Keeps a server alive while it is held.
#[derive(Debug)]
pub(super) struct Membership {
    _pipe: File,
}

/// The watcher. It waits a little for the server to be gone before it removes the folder.
const SCRIPT: &str = r#"
trap '' HUP INT TERM
mkfifo -m 600 "$1/users" || exit 1
while read -r user; do : > "$1/joined.$user"; done < "$1/users"
pid=$(head -n 1 "$1/data/postmaster.pid" 2>/dev/null)
if [ -n "$pid" ] && [ "$(sed -n 2p "$1/data/postmaster.pid")" = "$1/data" ]; then
    kill -QUIT "$pid" 2>/dev/null
    tries=0
    while kill -0 "$pid" 2>/dev/null && [ "$tries" -lt 100 ]; do sleep 0.1; tries=$((tries + 1)); done
fi
rm -rf "$1"
"#;

/// Whether nobody watches a cluster that somebody once set a watcher on.
///
/// A watcher that waits for a first user who was killed is let go by this. One that has just been set may not
/// have opened its pipe yet, so a young folder is left alone.
pub(super) fn is_forsaken(folder: &Path) -> bool {
    let Ok(flags) = i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()) else {
        return false;
    };
    let pipe = folder.join("users");
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

/// Longer than any start takes.
const A_WHILE: Duration = Duration::from_secs(120);

/// How long a watcher may take to acknowledge.
const PATIENCE: Duration = Duration::from_secs(10);

/// Sets a watcher on a cluster.
pub(super) fn watch(cluster: &Cluster) -> Result<(), LocalServerError> {
    let mut shell = Command::new("/bin/sh");
    shell
        .args(["-c", SCRIPT, "bowline-watcher"])
        .arg(&cluster.folder)
        .current_dir("/");
    shell
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0);
    let mut child = shell
        .spawn()
        .map_err(|error| LocalServerError::io("cannot run", Path::new("/bin/sh"), &error))?;
    let reaper = thread::Builder::new()
        .name("bowline-reaper".to_owned())
        .spawn(move || child.wait());
    reaper.map(drop).map_err(|error| {
        LocalServerError::new(
            format!("cannot start a thread: {error}"),
            "free some memory",
        )
    })
}

/// Joins the users of a cluster; `None` if nobody watches it any more.
pub(super) fn join(cluster: &Cluster) -> Option<Membership> {
    static JOINS: AtomicU32 = AtomicU32::new(0);
    let user = format!(
        "{}-{}",
        std::process::id(),
        JOINS.fetch_add(1, Ordering::Relaxed)
    );
    let joined = cluster.folder.join(format!("joined.{user}"));
    let deadline = Instant::now() + PATIENCE;
    // Opening for writing without waiting fails while nobody reads.
    let mut pipe = loop {
        let flags = i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).ok()?;
        match OpenOptions::new()
            .write(true)
            .custom_flags(flags)
            .open(cluster.folder.join("users"))
        {
            Ok(pipe) => break pipe,
            Err(_) if !cluster.folder.exists() => return None,
            Err(_) if Instant::now() > deadline => return None,
            Err(_) => thread::sleep(Duration::from_millis(5)),
        }
    };
    writeln!(pipe, "{user}").ok()?;
    while !joined.exists() {
        if Instant::now() > deadline || !cluster.folder.exists() {
            return None;
        }
        thread::sleep(Duration::from_millis(2));
    }
    Some(Membership { _pipe: pipe })
}
