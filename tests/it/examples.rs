//! The programs in `examples/`.

mod axum;
mod programs;
