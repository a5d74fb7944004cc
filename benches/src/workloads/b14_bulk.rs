//! B14: inserts and upserts of many rows, with and without their ids.

use super::{Part, contenders, in_rounds};
use crate::peers::Peer;
use crate::rounds::Rounds;

pub const PART: Part = Part {
    name: "B14",
    title: "insert and upsert of many rows, all or nothing",
    measure: |server| {
        let mut text = String::new();
        for rows in [1_000, 100_000] {
            let inserted = "TRUNCATE items".to_owned();
            // The rows exist, so that an upsert updates each of them.
            let upserted = format!(
                "DO $$ BEGIN TRUNCATE articles; \
                 INSERT INTO articles (code, name, amount, price) \
                 SELECT n, 'old ' || n, 0, 0 FROM generate_series(0, {rows} - 1) AS n; END $$"
            );
            let measure = |what: &str, clean_up: &str, of: &dyn Fn(&dyn Peer) -> Vec<_>| {
                let how = Rounds {
                    rounds: if rows == 1_000 { 9 } else { 5 },
                    clean_up: Some(clean_up),
                    pieces: rows,
                };
                let what = format!("{what} of {rows}. Times are of one row.");
                in_rounds(server, &server.target, &what, &contenders(of), how)
            };
            text += &measure("Insert", &inserted, &|peer| peer.insert(rows))?;
            text += &measure("Insert with ids back", &inserted, &|peer| {
                peer.insert_with_ids(rows)
            })?;
            text += &measure("Upsert", &upserted, &|peer| peer.upsert(rows, false))?;
            text += &measure("Upsert with ids back", &upserted, &|peer| {
                peer.upsert(rows, true)
            })?;
        }
        Ok(text)
    },
};
