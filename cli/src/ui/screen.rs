//! The terminal as a screen that is drawn over, and given back as it was.

use std::io::{self, IsTerminal as _, Write as _};
use std::time::Instant;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};

use super::colour::is_result_coloured;
use super::escape::coloured;

/// Columns and rows.
pub(crate) type Size = (usize, usize);

/// The terminal, until dropped; then it is as it was, also after a failure or a panic.
pub(crate) struct Screen {
    before: Termios,
}

/// What was asked for by a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Key {
    Quit,
    Idle,
    Other,
}

/// Another screen, no cursor, and no lines that wrap.
const OPEN: &str = "\x1b[?1049h\x1b[?25l\x1b[?7l";
const CLOSE: &str = "\x1b[?7h\x1b[?25h\x1b[?1049l";

/// Whether there is a screen to draw on and keys to hear.
pub(crate) fn is_terminal() -> bool {
    io::stdin().is_terminal() && io::stdout().is_terminal()
}

/// The size of the terminal that standard output goes to; none for a pipe.
pub(crate) fn size() -> Option<Size> {
    let size = tcgetwinsize(io::stdout()).ok()?;
    let size = (usize::from(size.ws_col), usize::from(size.ws_row));
    (size.0 > 0 && size.1 > 0).then_some(size)
}

/// A text on standard output, in colours if it takes them.
pub(crate) fn print(text: &str) -> io::Result<()> {
    let mut out = anstream::stdout().lock();
    out.write_all(coloured(text).as_bytes())?;
    out.flush()
}

impl Screen {
    /// Takes the terminal over: keys come at once, and Ctrl-C is one of them.
    pub(crate) fn open() -> io::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let mut modes = before.clone();
        modes
            .local_modes
            .remove(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG);
        tcsetattr(io::stdin(), OptionalActions::Flush, &modes)?;
        let screen = Self { before };
        write(OPEN)?;
        Ok(screen)
    }

    /// Draws a text from the upper left corner.
    pub(crate) fn draw(&mut self, text: &str) -> io::Result<()> {
        let text = if is_result_coloured() {
            coloured(text).into_owned()
        } else {
            anstream::adapter::strip_str(&coloured(text)).to_string()
        };
        // Cleared before, because behind a full line the cursor stands on its last character.
        let lines: Vec<_> = text.trim_end().lines().collect();
        write(&format!("\x1b[H\x1b[J{}", lines.join("\r\n")))
    }

    /// Waits for a key; none by then.
    pub(crate) fn key(&self, until: Instant) -> io::Result<Option<Key>> {
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(None);
            }
            let left = Timespec::try_from(left).ok();
            let stdin = io::stdin();
            match poll(&mut [PollFd::new(&stdin, PollFlags::IN)], left.as_ref()) {
                Ok(0) | Err(Errno::INTR) => {}
                Ok(_) => {
                    // Past the buffer of `Stdin`, which `poll` does not see.
                    let mut typed = [0; 64];
                    let length = rustix::io::read(&stdin, &mut typed)?;
                    return Ok(Some(meaning(&typed[..length])));
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // A terminal that is gone needs nothing back.
        write(CLOSE).ok();
        tcsetattr(io::stdin(), OptionalActions::Flush, &self.before).ok();
    }
}

/// What was typed; nothing at all is a terminal that is gone.
fn meaning(typed: &[u8]) -> Key {
    const CTRL_C: u8 = 3;
    const CTRL_D: u8 = 4;
    let is_end = |byte| matches!(byte, b'q' | b'Q' | CTRL_C | CTRL_D);
    if typed.is_empty() || typed.iter().copied().any(is_end) {
        Key::Quit
    } else if typed.contains(&b'i') {
        Key::Idle
    } else {
        Key::Other
    }
}

fn write(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}
