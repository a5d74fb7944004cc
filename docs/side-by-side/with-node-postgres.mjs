// The beginner's session and a transfer, with node-postgres.

import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";

const ATTEMPTS = 10;
const PATIENCE = 10_000; // ms, for all attempts together
const connectionString = process.env.DATABASE_URL;
// Connecting, and each statement, have a limit. `query_timeout` is kept on this side and does not cancel;
// `statement_timeout` is kept by the server.
const limits = { connectionTimeoutMillis: 5000, query_timeout: 6000, statement_timeout: 5000 };

// bigint comes as a string, since a number of JavaScript's does not hold all of it.
pg.types.setTypeParser(pg.types.builtins.INT8, BigInt);

async function session() {
  const client = new pg.Client({ connectionString, ...limits });
  await client.connect();
  await client.query("BEGIN");
  await client.query(
    "CREATE TABLE table1 (id serial PRIMARY KEY, description varchar(30) NOT NULL)",
  );
  await client.query("INSERT INTO table1 (description) VALUES ($1), ($2)", [
    "New table",
    "called table 1",
  ]);
  const { rows } = await client.query("SELECT id, description FROM table1 ORDER BY id");
  console.log("table1:", rows.map((row) => `${row.id} ${row.description}`).join(", "));

  await client.query("CREATE TABLE newtable (id int, status boolean NOT NULL DEFAULT false)");
  await client.query("INSERT INTO newtable VALUES ($1, $2)", [1, true]);
  await client.query("COMMIT");

  const second = new pg.Client({ connectionString, ...limits });
  await second.connect();
  const seen = await second.query("SELECT id, status FROM newtable");
  console.log("a second session:", seen.rows[0].id, seen.rows[0].status);
  await second.end();

  const tables = await client.query(
    "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1",
  );
  console.log("tables:", tables.rows.map((row) => row.tablename).join(", "));

  try {
    await client.query("INSERT INTO table1 (description) VALUES ($1)", ["x".repeat(31)]);
  } catch (error) {
    if (!(error instanceof pg.DatabaseError)) throw error;
    console.log("too long:", error.code);
  }
  await client.end();
}

function newPool(size) {
  const pool = new pg.Pool({ connectionString, max: size, ...limits });
  // Without this an idle connection that is lost ends the process.
  pool.on("error", () => {});
  return pool;
}

/** Worth another attempt: conflicts, and connections that were lost, which have no SQLSTATE or one of 08, 57P. */
function isTransient(error) {
  return !/^[0-9A-Z]{5}$/.test(error.code ?? "") || /^(40001|40P01|08|57P)/.test(error.code);
}

/** Moves money once for this key: what became of it, and after how many attempts. */
async function transfer(pool, from, to, cents, key) {
  const deadline = Date.now() + PATIENCE;
  for (let attempt = 1; ; attempt++) {
    try {
      return [await attemptTransfer(pool, from, to, cents, key), attempt];
    } catch (error) {
      // Also where the COMMIT was under way. The key makes it safe to try again: if the work is done, the
      // next attempt finds the key and does nothing.
      if (!isTransient(error) || attempt === ATTEMPTS || Date.now() > deadline) throw error;
    }
    await sleep(Math.random() * Math.min(1000, 20 * 2 ** attempt));
  }
}

async function attemptTransfer(pool, from, to, cents, key) {
  const client = await pool.connect();
  // A client that somebody holds tells of its end by an event, and an event that nobody hears ends the process.
  const hear = () => {};
  client.on("error", hear);
  let broken;
  try {
    await client.query("BEGIN ISOLATION LEVEL SERIALIZABLE");
    const inserted = await client.query(
      `INSERT INTO transfers (key, sender_id, receiver_id, amount)
       VALUES ($1, $2, $3, $4) ON CONFLICT (key) DO NOTHING`,
      [key, from, to, cents],
    );
    if (inserted.rowCount === 0) {
      await client.query("ROLLBACK");
      return "moved"; // by an attempt whose answer was lost
    }
    const { rows } = await client.query("SELECT balance FROM accounts WHERE id = $1", [from]);
    if (rows[0].balance < cents) {
      await client.query("ROLLBACK");
      return "not enough";
    }
    await client.query("UPDATE accounts SET balance = balance - $1 WHERE id = $2", [cents, from]);
    await client.query("UPDATE accounts SET balance = balance + $1 WHERE id = $2", [cents, to]);
    const { command } = await client.query("COMMIT");
    if (command !== "COMMIT") throw new Error("the server rolled back instead");
    return "moved";
  } catch (error) {
    // If this fails too, the connection is not to be used again.
    await client.query("ROLLBACK").catch((lost) => (broken = lost));
    throw error;
  } finally {
    client.off("error", hear);
    client.release(broken);
  }
}

/** A statement fails, nobody looks, and the transaction is committed. */
async function passedOver() {
  const client = new pg.Client({ connectionString, ...limits });
  await client.connect();
  await client.query("BEGIN");
  await client.query(
    "INSERT INTO transfers (key, sender_id, receiver_id, amount) VALUES ('passed over', 1, 2, 1)",
  );
  await client.query("SELECT 1 / 0").catch(() => {}); // as careless code does
  try {
    await client.query("COMMIT");
    console.log("COMMIT reported success");
  } catch (error) {
    console.log("COMMIT reported", error.code);
  }
  await client.end();
}

const [what, ...numbers] = process.argv.slice(2);
if (what === "session") {
  await session();
} else if (what === "passed-over") {
  await passedOver();
} else if (what === "transfer" || what === "overdraw") {
  const pool = newPool(1);
  for (let n = 0; n < Number(numbers[0] ?? 1); n++) {
    const cents = what === "overdraw" ? 1_000_000n : 10n;
    console.log((await transfer(pool, 1, 2, cents, randomUUID()))[0]);
  }
  await pool.end();
} else if (what === "race") {
  const [workers, count] = numbers.map(Number);
  const pool = newPool(workers);
  const work = async (number) => {
    const [from, to] = number % 2 ? [1, 2] : [2, 1];
    const attempts = [];
    for (let n = 0; n < count; n++) {
      attempts.push((await transfer(pool, from, to, 1n, randomUUID()))[1]);
    }
    return attempts;
  };
  const attempts = (await Promise.all(Array.from({ length: workers }, (_, n) => work(n)))).flat();
  const total = attempts.reduce((sum, n) => sum + n, 0);
  console.log(`moved ${attempts.length} times, in ${total} attempts`);
  await pool.end();
} else {
  console.error("usage: with-node-postgres.mjs session | passed-over | transfer N | overdraw | race WORKERS N");
  process.exit(2);
}
