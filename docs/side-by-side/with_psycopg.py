"""The beginner's session and a transfer, with psycopg 3."""

import os
import random
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

import psycopg
from psycopg import errors
from psycopg_pool import ConnectionPool

ATTEMPTS = 10
PATIENCE = 10  # seconds, for all attempts together

# Connecting and each statement have a limit. The server keeps the latter, so one that hangs does not;
# tcp_user_timeout is for packets that are lost.
LIMITS = {
    "connect_timeout": 5,
    "options": "-c statement_timeout=5s",
    "tcp_user_timeout": 5000,
}


def connect() -> psycopg.Connection:
    return psycopg.connect(os.environ["DATABASE_URL"], **LIMITS)


def session() -> None:
    with connect() as conn:
        conn.execute(
            "CREATE TABLE table1 (id serial PRIMARY KEY, description varchar(30) NOT NULL)"
        )
        with conn.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO table1 (description) VALUES (%s)",
                [("New table",), ("called table 1",)],
            )
        rows = conn.execute("SELECT id, description FROM table1 ORDER BY id").fetchall()
        print("table1:", ", ".join(f"{id} {description}" for id, description in rows))

        conn.execute("CREATE TABLE newtable (id int, status boolean NOT NULL DEFAULT false)")
        conn.execute("INSERT INTO newtable VALUES (%s, %s)", (1, True))
        conn.commit()

        with connect() as second:
            print("a second session:", second.execute("SELECT id, status FROM newtable").fetchone())

        tables = conn.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
        ).fetchall()
        print("tables:", ", ".join(name for (name,) in tables))

        try:
            with conn.transaction():  # a savepoint, so that the session can go on
                conn.execute("INSERT INTO table1 (description) VALUES (%s)", ("x" * 31,))
        except errors.StringDataRightTruncation as error:
            print("too long:", error.sqlstate)


def new_pool(size: int) -> ConnectionPool:
    def configure(conn: psycopg.Connection) -> None:
        conn.isolation_level = psycopg.IsolationLevel.SERIALIZABLE

    url = os.environ["DATABASE_URL"]
    return ConnectionPool(
        url, kwargs=LIMITS, min_size=1, max_size=size, timeout=5, configure=configure, open=True
    )


def transfer(
    pool: ConnectionPool, sender: int, receiver: int, cents: int, key: UUID
) -> tuple[str, int]:
    """Moves money once for this key: what became of it, and after how many attempts."""
    deadline = time.monotonic() + PATIENCE
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with pool.connection() as conn:
                return attempt_transfer(conn, sender, receiver, cents, key), attempt
        except (
            errors.SerializationFailure,
            errors.DeadlockDetected,
            # The connection was lost, perhaps with the COMMIT under way. The key makes it safe to try
            # again: if the work is done, the next attempt finds the key and does nothing.
            psycopg.OperationalError,
        ):
            if attempt == ATTEMPTS or time.monotonic() > deadline:
                raise
        time.sleep(random.uniform(0, min(1.0, 0.02 * 2**attempt)))
    raise AssertionError("the last attempt returns or raises")


def attempt_transfer(
    conn: psycopg.Connection, sender: int, receiver: int, cents: int, key: UUID
) -> str:
    with conn.transaction():
        inserted = conn.execute(
            "INSERT INTO transfers (key, sender_id, receiver_id, amount)"
            " VALUES (%s, %s, %s, %s) ON CONFLICT (key) DO NOTHING",
            (str(key), sender, receiver, cents),
        )
        if inserted.rowcount == 0:
            return "moved"  # by an attempt whose answer was lost
        (balance,) = conn.execute(
            "SELECT balance FROM accounts WHERE id = %s", (sender,)
        ).fetchone()
        if balance < cents:
            raise psycopg.Rollback()
        with conn.pipeline():  # both in one round trip
            conn.execute(
                "UPDATE accounts SET balance = balance - %s WHERE id = %s", (cents, sender)
            )
            conn.execute(
                "UPDATE accounts SET balance = balance + %s WHERE id = %s", (cents, receiver)
            )
        return "moved"
    return "not enough"  # rolled back


def passed_over() -> None:
    """A statement fails, nobody looks, and the transaction is committed."""
    with connect() as conn:
        conn.execute(
            "INSERT INTO transfers (key, sender_id, receiver_id, amount)"
            " VALUES ('passed over', 1, 2, 1)"
        )
        try:
            conn.execute("SELECT 1 / 0")
        except errors.DivisionByZero:
            pass  # as careless code does
        try:
            conn.commit()
            print("COMMIT reported success")
        except psycopg.Error as error:
            print("COMMIT reported", error.sqlstate)


def main() -> None:
    match sys.argv[1:]:
        case ["session"]:
            session()
        case ["passed-over"]:
            passed_over()
        case ["transfer", count]:
            with new_pool(1) as pool:
                for _ in range(int(count)):
                    print(transfer(pool, 1, 2, 10, uuid4())[0])
        case ["overdraw"]:
            with new_pool(1) as pool:
                print(transfer(pool, 1, 2, 1_000_000, uuid4())[0])
        case ["race", workers, count]:
            with new_pool(int(workers)) as pool, ThreadPoolExecutor(int(workers)) as threads:

                def work(number: int) -> list[int]:
                    pair = (1, 2) if number % 2 else (2, 1)
                    return [transfer(pool, *pair, 1, uuid4())[1] for _ in range(int(count))]

                attempts = [n for done in threads.map(work, range(int(workers))) for n in done]
            print(f"moved {len(attempts)} times, in {sum(attempts)} attempts")
        case _:
            sys.exit("usage: with_psycopg.py session | passed-over | transfer N | overdraw | race WORKERS N")


main()
