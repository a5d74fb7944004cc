//! B2b: rows that are loaded into a `Vec`, and rows that are inserted in one call.

use super::{Part, Workload, contenders, in_rounds};
use crate::rounds::Rounds;

pub const LOAD: Workload = Workload {
    name: "B2b load of 10,000",
    of: |peer| peer.load(10_000),
    lengths: (1, 6),
};

pub const INSERT: Workload = Workload {
    name: "B2b insert of 1,000",
    of: |peer| peer.insert(1_000),
    lengths: (1, 6),
};

pub const PART: Part = Part {
    name: "B2b",
    title: "load of users and insert of items",
    measure: |server| {
        let mut text = String::new();
        for rows in [1, 100, 10_000] {
            let how = Rounds {
                rounds: 9,
                clean_up: None,
                pieces: 1,
            };
            let loads = contenders(|peer| peer.load(rows));
            let what = format!("Load of {rows}.");
            text += &in_rounds(server, &server.target, &what, &loads, how)?;
        }
        for rows in [1, 10, 100, 1_000, 10_000] {
            let how = Rounds {
                rounds: 9,
                clean_up: Some("TRUNCATE items"),
                pieces: 1,
            };
            let inserts = contenders(|peer| peer.insert(rows));
            let what = format!("Insert of {rows}.");
            text += &in_rounds(server, &server.target, &what, &inserts, how)?;
        }
        Ok(text)
    },
};
