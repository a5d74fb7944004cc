//! The error of a position that a client sent, as one of this crate: pages know no errors.

use crate::Error;
use crate::page::InvalidPosition;

impl From<InvalidPosition> for Error {
    /// An error of the kind [`ErrorKind::Query`](crate::ErrorKind::Query) with this as its source.
    fn from(invalid: InvalidPosition) -> Self {
        Self::query("the text of a position was refused")
            .with_source(Box::new(invalid))
            .with_hint("begin with the first page, which needs no position")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    #[test]
    fn a_refused_position_is_the_source_of_an_error() {
        fn page() -> crate::Result<()> {
            Err(InvalidPosition::Unreadable)?
        }
        let error = page().expect_err("it is no position");
        assert_eq!(error.kind(), ErrorKind::Query);
        let source = std::error::Error::source(&error);
        let source = source.and_then(|source| source.downcast_ref::<InvalidPosition>());
        assert_eq!(source, Some(&InvalidPosition::Unreadable));
    }
}
