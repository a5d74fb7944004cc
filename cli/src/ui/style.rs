//! Styles of text on a terminal.

use std::fmt::Display;

/// A style. Where output shows no colours, it is removed again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    Bold,
    Dim,
    Red,
    Green,
    Yellow,
    Cyan,
    BoldRed,
    BoldGreen,
    BoldYellow,
    BoldCyan,
}

impl Style {
    /// Returns a text in this style. Text from outside has to be escaped before.
    pub(crate) fn paint(self, text: impl Display) -> String {
        format!("\x1b[{}m{text}\x1b[0m", self.code())
    }

    /// Returns the parameters of "select graphic rendition" (ECMA-48, 8.3.117).
    fn code(self) -> &'static str {
        match self {
            Self::Bold => "1",
            Self::Dim => "2",
            Self::Red => "31",
            Self::Green => "32",
            Self::Yellow => "33",
            Self::Cyan => "36",
            Self::BoldRed => "1;31",
            Self::BoldGreen => "1;32",
            Self::BoldYellow => "1;33",
            Self::BoldCyan => "1;36",
        }
    }
}
