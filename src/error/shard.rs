//! The names that Citus gives to the shards of a table, and to the indexes and keys of a shard.
//!
//! A name of a shard is that of the table with `_` and the number of the shard. PostgreSQL's names
//! have at most 63 bytes. If the whole would be longer, Citus shortens the name and puts a hash of
//! it in between: `_`, eight hexadecimal digits. The hash is PostgreSQL's `hash_any`, which is Bob
//! Jenkins's lookup3 with an own start value. That of `hashtext` is the same.

use super::Constraint;
use super::server::ServerError;

/// Returns true for an error of a worker that the coordinator passes on. Only its text, its
/// SQLSTATE, detail, hint and context arrive.
pub(super) fn is_of_worker(error: &ServerError, context: &str) -> bool {
    error.constraint.is_none()
        && error.table.is_none()
        && error.sqlstate.code().starts_with("23")
        && context.contains("while executing command on ")
}

/// Returns the constraint that the text of a worker's error names. PostgreSQL quotes the names in
/// all its languages.
pub(super) fn constraint_in<C: Constraint>(text: &str) -> Option<C> {
    let names: Vec<&str> = text.split('"').skip(1).step_by(2).collect();
    let (table, name) = match names.as_slice() {
        // A key: its name is that of an index, which is unique in the schema.
        [name] => (None, *name),
        // A check, or a foreign key of the row that is written.
        [table, name] => (Some(*table), *name),
        // A foreign key of rows that refer to the row that is written.
        [_, name, table] => (Some(*table), *name),
        _ => return None,
    };
    let suffix = suffix(table.unwrap_or(name))?;
    if table.is_some_and(|table| !is_of_shard(table, C::TABLE, suffix)) {
        return None;
    }
    let mut all = C::ALL.iter().copied();
    let of_shard = all.find(|one| is_of_shard(name, one.name(), suffix));
    // A check has the same name on each shard.
    of_shard.or_else(|| table.and_then(|_| C::from_name(name)))
}

/// The bytes that PostgreSQL reserves for a name, with the zero at its end.
const NAME_DATA_LENGTH: usize = 64;

/// The length of the hash with its separator, and of one byte more that Citus leaves free.
const HASH_LENGTH: usize = 10;

/// Returns the end `_102008` of the name of a shard. Citus counts from 102008 on.
pub(super) fn suffix(table: &str) -> Option<&str> {
    let digits = table.len() - table.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    let start = table.len().checked_sub(digits + 1)?;
    (digits >= 6 && table[start..].starts_with('_')).then_some(&table[start..])
}

/// Returns true if this is the name of an object in the shard with this suffix.
pub(super) fn is_of_shard(of_shard: &str, name: &str, suffix: &str) -> bool {
    let Some(start) = of_shard.strip_suffix(suffix) else {
        return false;
    };
    if name.len() + suffix.len() < NAME_DATA_LENGTH {
        return start == name;
    }
    let most = NAME_DATA_LENGTH.saturating_sub(suffix.len() + HASH_LENGTH);
    let end = (0..=most.min(name.len()))
        .rev()
        .find(|end| name.is_char_boundary(*end))
        .unwrap_or(0);
    let hash = start.strip_prefix(&name[..end]);
    hash == Some(&format!("_{:08x}", hash_any(name.as_bytes())))
}

/// Returns PostgreSQL's hash of these bytes.
fn hash_any(bytes: &[u8]) -> u32 {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "names have at most 63 bytes"
    )]
    let start = 0x9e37_79b9_u32
        .wrapping_add(bytes.len() as u32)
        .wrapping_add(3_923_095);
    let mut state = [start; 3];
    let blocks = bytes.chunks_exact(12);
    let rest = blocks.remainder();
    for block in blocks {
        for (word, four) in state.iter_mut().zip(block.chunks_exact(4)) {
            *word = word.wrapping_add(little_endian(four, 0));
        }
        mix(&mut state);
    }
    // The lowest byte of the last word is left for the length, so its bytes begin one higher.
    let first = rest.get(..4.min(rest.len())).unwrap_or_default();
    let second = rest.get(4..8.min(rest.len())).unwrap_or_default();
    let third = rest.get(8..).unwrap_or_default();
    state[0] = state[0].wrapping_add(little_endian(first, 0));
    state[1] = state[1].wrapping_add(little_endian(second, 0));
    state[2] = state[2].wrapping_add(little_endian(third, 1));
    finish(state)
}

/// Returns up to four bytes as a number, from this position on.
fn little_endian(bytes: &[u8], position: u32) -> u32 {
    let places = (position..).zip(bytes);
    places.fold(0, |sum, (place, byte)| {
        sum | u32::from(*byte) << (8 * place)
    })
}

/// Mixes three words reversibly, between two blocks.
fn mix(state: &mut [u32; 3]) {
    const ROTATIONS: [u32; 6] = [4, 6, 8, 16, 19, 4];
    for (step, rotation) in ROTATIONS.into_iter().enumerate() {
        let (one, other, third) = (step % 3, (step + 2) % 3, (step + 1) % 3);
        state[one] = state[one].wrapping_sub(state[other]);
        state[one] ^= state[other].rotate_left(rotation);
        state[other] = state[other].wrapping_add(state[third]);
    }
}

/// Mixes the words after the last block, and returns the last one.
fn finish(mut state: [u32; 3]) -> u32 {
    const ROTATIONS: [u32; 7] = [14, 11, 25, 16, 4, 14, 24];
    for (step, rotation) in ROTATIONS.into_iter().enumerate() {
        let (changed, by) = ((step + 2) % 3, (step + 1) % 3);
        state[changed] ^= state[by];
        state[changed] = state[changed].wrapping_sub(state[by].rotate_left(rotation));
    }
    state[2]
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: &str = "a23456789012345678901234567890123456789012345678901234567890123";

    #[test]
    fn the_hash_is_that_of_postgresql() {
        // As `SELECT to_hex(hashtext(..))` of PostgreSQL 15 in UTF-8.
        assert_eq!(hash_any(b"abc"), 0xd12f_eb97);
        assert_eq!(hash_any(LONG.as_bytes()), 0x788e_ea27);
    }

    crate::constraints! {
        enum Of on "public"."accounts" {
            Pkey = "accounts_pkey",
            Balance = "accounts_balance_check",
            Owner = "accounts_owner_fkey",
        }
    }

    #[test]
    fn constraints_are_read_from_the_text_of_a_worker() {
        // As a coordinator of Citus 13.2 passes them on, without fields.
        let texts = [
            (
                r#"duplicate key value violates unique constraint "accounts_pkey_102011""#,
                Some(Of::Pkey),
            ),
            (
                r#"new row for relation "accounts_102011" violates check constraint "accounts_balance_check""#,
                Some(Of::Balance),
            ),
            (
                r#"insert or update on table "accounts_102011" violates foreign key constraint "accounts_owner_fkey_102011""#,
                Some(Of::Owner),
            ),
            (
                r#"update or delete on table "owners_102019" violates foreign key constraint "accounts_owner_fkey_102011" on table "accounts_102011""#,
                Some(Of::Owner),
            ),
            (
                r#"duplicate key value violates unique constraint "others_pkey_102011""#,
                None,
            ),
            (
                r#"new row for relation "others_102011" violates check constraint "accounts_balance_check""#,
                None,
            ),
            (
                r#"null value in column "name" of relation "accounts_102011" violates not-null constraint"#,
                None,
            ),
            ("no names", None),
        ];
        for (text, expected) in texts {
            assert_eq!(constraint_in::<Of>(text), expected, "{text}");
        }
    }

    #[test]
    fn names_of_shards_are_those_of_citus() {
        // As Citus 13.2 named the tables and indexes of a shard.
        let names = [
            (
                LONG,
                "a2345678901234567890123456789012345678901234567_788eea27_102990",
            ),
            (
                "accounts_tenant_id_and_a_very_long_list_of_columns_username_key",
                "accounts_tenant_id_and_a_very_long_list_of_colu_a1109f2c_102990",
            ),
            (
                &LONG[..57],
                "a2345678901234567890123456789012345678901234567_911500d5_102990",
            ),
            (
                &LONG[..56],
                "a2345678901234567890123456789012345678901234567890123456_102990",
            ),
            (
                "konten_mandant_id_größe_ääääääääääääääääää_",
                "konten_mandant_id_größe_ääääääääää_00174dda_102990",
            ),
        ];
        for (name, of_shard) in names {
            assert_eq!(suffix(of_shard), Some("_102990"));
            assert!(is_of_shard(of_shard, name, "_102990"), "{name}");
            let other = format!("{}x", &name[..name.len() - 1]);
            assert!(!is_of_shard(of_shard, &other, "_102990"), "{other}");
        }
        assert_eq!(suffix("accounts_10"), None);
        assert_eq!(suffix("102990"), None);
    }
}
