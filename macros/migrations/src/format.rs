//! The format of generated code: which names of `bowline` it uses, and how.
//!
//! The command writes one format, and the library compiles a range of formats. The number
//! increases with each change after which code that was generated earlier does not compile.

/// The format that the command writes.
pub const FORMAT: u32 = 2;

/// The oldest format that the library compiles.
const OLDEST: u32 = 2;

/// The format of code that does not name its format.
pub const UNNAMED: u32 = 1;

/// Returns the message for a format that the library does not compile; it names the part to
/// update. Returns `None` for a format that the library compiles.
pub fn mismatch(format: u32) -> Option<String> {
    let reads = if OLDEST == FORMAT {
        format!("format {FORMAT}")
    } else {
        format!("formats {OLDEST} to {FORMAT}")
    };
    let found = format!(
        "this code was generated in format {format}, and the library `bowline` reads {reads}"
    );
    if format < OLDEST {
        Some(format!(
            "{found}: run `bowline generate`; if the command is older than the library, update it first with \
             `cargo install bowline-cli`"
        ))
    } else if format > FORMAT {
        Some(format!(
            "{found}: update the library to the command's version, in Cargo.toml or with `cargo update bowline`"
        ))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mismatch_names_what_to_update() {
        assert_eq!(mismatch(FORMAT), None);
        assert!(mismatch(UNNAMED).is_some_and(|why| why.contains("`bowline generate`")));
        assert!(mismatch(FORMAT + 1).is_some_and(|why| why.contains("`cargo update bowline`")));
    }
}
