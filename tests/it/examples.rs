//! The programs in `examples/`.

mod axum;
