//! Many rows at a time.

use std::hint::black_box;

use super::prepared;
use crate::contender::{Contender, repeat};
use crate::rows;

pub fn load(rows: i64) -> Vec<Contender> {
    vec![Contender::new("libpq", move |target| {
        let sql =
            c"SELECT id, name, email, balance, created_at, note FROM users ORDER BY id LIMIT $1";
        let connection = prepared(target, &[(c"load", sql)]);
        repeat(move || {
            let answer = connection.execute(c"load", [&rows.to_be_bytes()]);
            let users: Vec<_> = (0..answer.rows()).map(|row| answer.user(row)).collect();
            assert!(users.len() as i64 == rows);
            black_box(users);
        })
    })]
}

pub fn stream() -> Vec<Contender> {
    vec![Contender::new("libpq, chunks of 256", |target| {
        let sql = c"SELECT id, name, email, balance, created_at, note FROM users";
        let connection = prepared(target, &[(c"all", sql)]);
        let expected = target.users;
        repeat(move || {
            let (mut count, mut sum) = (0, 0);
            connection.queue(c"all", []);
            connection.in_chunks(256, |answer| {
                for row in 0..answer.rows() {
                    let user = black_box(answer.user(row));
                    count += 1;
                    sum += user.balance;
                }
            });
            assert!(count == expected);
            black_box(sum);
        })
    })]
}

/// How many bytes are sent at a time.
const PIECE: usize = 64 * 1024;

pub fn copy_in(rows: usize) -> Vec<Contender> {
    let items = rows::items(rows);
    vec![Contender::new("libpq", move |target| {
        let copy = c"COPY items (owner_id, name, amount, price, note) FROM STDIN (FORMAT binary)";
        let connection = super::Connection::open(&target.url);
        repeat(move || {
            connection.start_copy(copy);
            let mut buffer = Vec::with_capacity(2 * PIECE);
            buffer.extend_from_slice(b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0");
            for item in items {
                buffer.extend_from_slice(&5_i16.to_be_bytes());
                put(&mut buffer, Some(&item.owner_id.to_be_bytes()));
                put(&mut buffer, Some(item.name.as_bytes()));
                put(&mut buffer, Some(&item.amount.to_be_bytes()));
                put(&mut buffer, Some(&item.price.to_be_bytes()));
                put(&mut buffer, item.note.as_deref().map(str::as_bytes));
                if buffer.len() >= PIECE {
                    connection.put(&buffer);
                    buffer.clear();
                }
            }
            buffer.extend_from_slice(&(-1_i16).to_be_bytes());
            connection.put(&buffer);
            connection.end_copy();
        })
    })]
}

/// Appends a field in COPY's binary format (PostgreSQL manual, COPY, "Binary Format").
fn put(buffer: &mut Vec<u8>, field: Option<&[u8]>) {
    match field {
        Some(bytes) => {
            buffer.extend_from_slice(&(bytes.len() as i32).to_be_bytes());
            buffer.extend_from_slice(bytes);
        }
        None => buffer.extend_from_slice(&(-1_i32).to_be_bytes()),
    }
}
