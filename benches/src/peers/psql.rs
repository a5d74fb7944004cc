//! `psql \copy`: a file is loaded by PostgreSQL's own client.

use std::fs;
use std::io::{BufWriter, Write as _};
use std::process::Command;

use super::Peer;
use crate::contender::{Contender, repeat};
use crate::rows;

pub struct Psql;

impl Peer for Psql {
    fn copy_in(&self, rows: usize) -> Vec<Contender> {
        vec![Contender::program("psql \\copy, text", move |target| {
            let file =
                std::env::temp_dir().join(format!("bowline-bench-{}.tsv", std::process::id()));
            let mut writer = BufWriter::new(fs::File::create(&file).expect("a file"));
            for item in rows::items(rows) {
                let (owner, name, amount, price) =
                    (item.owner_id, &item.name, item.amount, item.price);
                let note = item.note.as_deref().unwrap_or("\\N");
                writeln!(writer, "{owner}\t{name}\t{amount}\t{price}\t{note}").expect("space");
            }
            writer.flush().expect("space");
            let (url, file) = (target.url.clone(), file.display().to_string());
            let copy = format!("\\copy items (owner_id, name, amount, price, note) FROM '{file}'");
            repeat(move || {
                let status = Command::new("psql")
                    .args(["-qX", &url, "-c", &copy])
                    .status();
                assert!(status.expect("psql runs").success());
            })
        })]
    }
}
