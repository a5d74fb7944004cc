//! Bowline.

mod bulk;
mod calls;
mod crowds;
mod upsert;

use ::bowline::{Config, Database};

use super::Peer;
use crate::contender::Contender;
use crate::crowd::Crowd;
use crate::target::Target;

pub struct Bowline;

/// Opens the database with a pool of at most this many sessions.
fn open(target: &Target, sessions: u32) -> Database {
    Config::from_url(&target.url)
        .and_then(|config| config.max_size(sessions).open())
        .unwrap_or_else(|error| panic!("{error}"))
}

impl Peer for Bowline {
    fn find(&self) -> Vec<Contender> {
        calls::find()
    }

    fn ten_updates(&self) -> Vec<Contender> {
        calls::ten_updates()
    }

    fn checkout(&self) -> Vec<Contender> {
        calls::checkout()
    }

    fn tpcb(&self) -> Vec<Contender> {
        calls::tpcb()
    }

    fn connect(&self) -> Vec<Contender> {
        calls::connect()
    }

    fn load(&self, rows: i64) -> Vec<Contender> {
        bulk::load(rows)
    }

    fn insert(&self, rows: usize) -> Vec<Contender> {
        bulk::insert(rows)
    }

    fn insert_with_ids(&self, rows: usize) -> Vec<Contender> {
        upsert::insert_with_ids(rows)
    }

    fn upsert(&self, rows: usize, with_ids: bool) -> Vec<Contender> {
        upsert::upsert(rows, with_ids)
    }

    fn stream(&self) -> Vec<Contender> {
        bulk::stream()
    }

    fn copy_in(&self, rows: usize) -> Vec<Contender> {
        bulk::copy_in(rows)
    }

    fn graph(&self) -> Vec<Contender> {
        bulk::graph()
    }

    fn crowd_checkout(&self) -> Vec<Crowd> {
        crowds::checkout()
    }

    fn crowd_find(&self) -> Vec<Crowd> {
        crowds::find()
    }

    fn task_find(&self) -> Vec<Crowd> {
        crowds::task_find()
    }

    fn crowd_tpcb(&self) -> Vec<Crowd> {
        crowds::tpcb()
    }
}
