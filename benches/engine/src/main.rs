//! Replays a folder of migrations, generates queries over its tables, and checks them.
//!
//!     bowline-engine-bench FOLDER QUERIES
//!     bowline-engine-bench FOLDER QUERIES --print
//!
//! Prints the milliseconds of each step. `script/queries-speed` also counts the instructions. With
//! `--print` it prints the queries, one a line, for `script/macro-speed`.

use std::error::Error;
use std::path::Path;
use std::time::Instant;

use bowline_catalog::query::Checker;
use bowline_catalog::replay::replay;
use bowline_catalog::{Catalog, ConstraintKind, Relation, RelationKind};
use bowline_migrations::read_folder;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (folder, count, is_printed) = match arguments.as_slice() {
        [folder, count] => (folder, count, false),
        [folder, count, print] if print == "--print" => (folder, count, true),
        _ => return Err("usage: bowline-engine-bench FOLDER QUERIES [--print]".into()),
    };
    let count: usize = count.parse()?;
    let started = Instant::now();
    let migrations = read_folder(Path::new(folder))?;
    let replayed = replay(migrations.iter().map(|migration| &migration.up));
    if let Some(refusal) = replayed.refusals.first() {
        return Err(refusal.to_string().into());
    }
    let replaying = started.elapsed();
    let queries = queries(&replayed.catalog, count);
    if is_printed {
        for sql in &queries {
            println!("{sql}");
        }
        return Ok(());
    }
    let started = Instant::now();
    let checker = Checker::new(&replayed.catalog);
    for sql in &queries {
        checker
            .check(sql)
            .map_err(|fault| format!("{fault}: {sql}"))?;
    }
    println!(
        "{} migrations: {:.1} ms; {} queries: {:.1} ms",
        migrations.len(),
        replaying.as_secs_f64() * 1000.0,
        queries.len(),
        started.elapsed().as_secs_f64() * 1000.0
    );
    Ok(())
}

/// Returns different queries: by key, lists, counts, groups, writes, and joins along foreign keys.
fn queries(catalog: &Catalog, count: usize) -> Vec<String> {
    let tables = catalog.relations.values();
    let tables: Vec<&Relation> = tables
        .filter(|relation| matches!(relation.kind, RelationKind::Table))
        .collect();
    let mut queries = Vec::with_capacity(count);
    for round in 0.. {
        let before = queries.len();
        for table in &tables {
            let left = count - queries.len();
            queries.extend(of_table(table, round).into_iter().take(left));
        }
        if queries.len() == count || queries.len() == before {
            break;
        }
    }
    queries
}

/// Returns the queries of one table. Those of each round differ in their limits.
fn of_table(table: &Relation, round: usize) -> Vec<String> {
    let name = format!("\"{}\".\"{}\"", table.name.schema, table.name.name);
    let columns: Vec<String> = table
        .columns
        .iter()
        .map(|column| format!("\"{}\"", column.name))
        .collect();
    let Some(first) = columns.first() else {
        return Vec::new();
    };
    let list = columns.join(", ");
    let mut queries = vec![
        format!("SELECT * FROM {name} ORDER BY {first} LIMIT {round}"),
        format!("SELECT {list} FROM {name} WHERE {first} = $1 LIMIT $2 OFFSET {round}"),
        format!(
            "SELECT {first}, count(*) AS n FROM {name} GROUP BY {first} HAVING count(*) > {round}"
        ),
        format!(
            "SELECT {first}, row_number() OVER (PARTITION BY {first} ORDER BY {first}) AS place \
             FROM {name} WHERE {first} IS NOT NULL OFFSET {round}"
        ),
        format!(
            "WITH part AS (SELECT {list} FROM {name}) SELECT max({first}::text) AS m FROM part OFFSET {round}"
        ),
        format!("DELETE FROM {name} WHERE {first} = $1 AND {round} = 0 RETURNING {list}"),
    ];
    for constraint in &table.constraints {
        if let ConstraintKind::ForeignKey {
            columns,
            references,
            referenced_columns,
            ..
        } = &constraint.kind
        {
            let pairs = columns.iter().zip(referenced_columns);
            let on = pairs.map(|(own, other)| format!("a.\"{own}\" = b.\"{other}\""));
            queries.push(format!(
                "SELECT a.{first}, b.* FROM {name} a LEFT JOIN \"{}\".\"{}\" b ON {} LIMIT {round}",
                references.schema,
                references.name,
                on.collect::<Vec<_>>().join(" AND ")
            ));
        }
    }
    queries
}
