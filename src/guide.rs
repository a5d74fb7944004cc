//! The README and the guide. Every Rust block in them is a program that the tests run.
//!
//! The blocks are doc tests, which edition 2024 compiles as one program.

#[doc = include_str!("../README.md")]
struct Readme;

#[doc = include_str!("../docs/guide/statements.md")]
struct Statements;

#[doc = include_str!("../docs/guide/queries.md")]
struct Queries;

#[doc = include_str!("../docs/guide/application.md")]
struct Application;

#[doc = include_str!("../docs/guide/transactions.md")]
struct Transactions;

#[cfg(feature = "tokio")]
#[doc = include_str!("../docs/guide/async.md")]
struct AsynchronousCode;

#[doc = include_str!("../docs/guide/errors.md")]
struct Errors;

#[doc = include_str!("../docs/guide/testing.md")]
struct Testing;

#[doc = include_str!("../docs/guide/migrations.md")]
struct Migrations;

#[doc = include_str!("../docs/guide/coming-from-diesel.md")]
struct ComingFromDiesel;

#[doc = include_str!("../docs/guide/operating.md")]
struct Operating;

#[doc = include_str!("../docs/guide/beyond-one-machine.md")]
struct BeyondOneMachine;
