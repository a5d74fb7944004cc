//! The command in a pseudo-terminal, where it asks, draws, and shows its progress.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Child, Command, ExitStatus};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

/// The limit of each wait.
const PATIENCE: Duration = Duration::from_secs(20);

/// The command in a pseudo-terminal.
pub(crate) struct Terminal {
    /// The terminal's side: writes are key presses, reads are output.
    keys: File,
    /// The side of the command, kept open so that all output can be read after its end.
    _own: File,
    drawn: Receiver<Vec<u8>>,
    text: String,
    running: Child,
}

impl Terminal {
    /// Runs the command in this folder.
    pub(crate) fn run(folder: &Path, arguments: &[&str]) -> Self {
        let other: OwnedFd = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
        grantpt(&other).expect("a terminal");
        unlockpt(&other).expect("a terminal");
        let name = ptsname(&other, Vec::new()).expect("a name");
        let own = File::options()
            .read(true)
            .write(true)
            .open(name.to_str().expect("a path"))
            .expect("a terminal");
        let size = Winsize {
            ws_row: 20,
            ws_col: 90,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        tcsetwinsize(&own, size).expect("a size");
        let side = || own.try_clone().expect("a terminal");
        let running = Command::new(env!("CARGO_BIN_EXE_bowline"))
            .current_dir(folder)
            .args(arguments)
            .env_remove("NO_COLOR")
            .env_remove("DATABASE_URL")
            .env("TERM", "xterm")
            .stdin(side())
            .stdout(side())
            .stderr(side())
            .spawn()
            .expect("it runs");
        let keys = File::from(other);
        let (tell, drawn) = channel();
        let mut screen = keys.try_clone().expect("a terminal");
        thread::spawn(move || {
            let mut piece = [0; 4096];
            while let Ok(length @ 1..) = screen.read(&mut piece) {
                if tell.send(piece[..length].to_vec()).is_err() {
                    return;
                }
            }
        });
        Self {
            keys,
            _own: own,
            drawn,
            text: String::new(),
            running,
        }
    }

    /// Waits for this output, and discards the output up to it.
    pub(crate) fn wait_for(&mut self, wanted: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(place) = self.text.find(wanted) {
                return self.text.drain(..place + wanted.len()).collect();
            }
            let left = deadline.saturating_duration_since(Instant::now());
            let piece = self.drawn.recv_timeout(left);
            let piece = piece.unwrap_or_else(|_| panic!("no {wanted:?} in {:?}", self.text));
            self.text.push_str(&String::from_utf8_lossy(&piece));
        }
    }

    pub(crate) fn press(&mut self, keys: &[u8]) {
        self.keys.write_all(keys).expect("a terminal");
    }

    /// Waits until the command has ended, and returns the rest of its output.
    pub(crate) fn rest(&mut self) -> String {
        self.end();
        let mut bytes = self.text.as_bytes().to_vec();
        // Output from before the end is available immediately.
        while let Ok(piece) = self.drawn.recv_timeout(Duration::from_millis(300)) {
            bytes.extend_from_slice(&piece);
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }

    pub(crate) fn end(&mut self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if let Some(status) = self.running.try_wait().expect("a child") {
                return status;
            }
            thread::sleep(Duration::from_millis(10));
        }
        self.running.kill().expect("a child");
        panic!("it still runs");
    }
}
