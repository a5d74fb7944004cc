"""The beginner's session and a transfer, with asyncpg."""

import asyncio
import os
import random
import sys
from uuid import UUID, uuid4

import asyncpg

ATTEMPTS = 10
PATIENCE = 10  # seconds, for all attempts together
# Connecting, and each statement, have a limit; both are kept on this side.
LIMITS = {"timeout": 5, "command_timeout": 5}


async def session() -> None:
    conn = await asyncpg.connect(os.environ["DATABASE_URL"], **LIMITS)
    async with conn.transaction():
        await conn.execute(
            "CREATE TABLE table1 (id serial PRIMARY KEY, description varchar(30) NOT NULL)"
        )
        await conn.executemany(
            "INSERT INTO table1 (description) VALUES ($1)", [("New table",), ("called table 1",)]
        )
        rows = await conn.fetch("SELECT id, description FROM table1 ORDER BY id")
        print("table1:", ", ".join(f"{row['id']} {row['description']}" for row in rows))

        await conn.execute("CREATE TABLE newtable (id int, status boolean NOT NULL DEFAULT false)")
        await conn.execute("INSERT INTO newtable VALUES ($1, $2)", 1, True)

    second = await asyncpg.connect(os.environ["DATABASE_URL"], **LIMITS)
    print("a second session:", tuple(await second.fetchrow("SELECT id, status FROM newtable")))
    await second.close()

    tables = await conn.fetch(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
    )
    print("tables:", ", ".join(row["tablename"] for row in tables))

    try:
        await conn.execute("INSERT INTO table1 (description) VALUES ($1)", "x" * 31)
    except asyncpg.StringDataRightTruncationError as error:
        print("too long:", error.sqlstate)
    await conn.close()


async def new_pool(size: int) -> asyncpg.Pool:
    return await asyncpg.create_pool(
        os.environ["DATABASE_URL"], min_size=1, max_size=size, **LIMITS
    )


async def transfer(
    pool: asyncpg.Pool, sender: int, receiver: int, cents: int, key: UUID
) -> tuple[str, int]:
    """Moves money once for this key: what became of it, and after how many attempts."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            async with pool.acquire(timeout=5) as conn:
                return await attempt_transfer(conn, sender, receiver, cents, key), attempt
        except (
            asyncpg.SerializationError,
            asyncpg.DeadlockDetectedError,
            # The connection was lost, perhaps with the COMMIT under way. The key makes it safe to try
            # again: if the work is done, the next attempt finds the key and does nothing.
            asyncpg.PostgresConnectionError,
            asyncpg.InterfaceError,
            OSError,
            TimeoutError,
        ):
            if attempt == ATTEMPTS:
                raise
        await asyncio.sleep(random.uniform(0, min(1.0, 0.02 * 2**attempt)))
    raise AssertionError("the last attempt returns or raises")


class NotEnough(Exception):
    """Rolls back."""


async def attempt_transfer(
    conn: asyncpg.Connection, sender: int, receiver: int, cents: int, key: UUID
) -> str:
    try:
        async with conn.transaction(isolation="serializable"):
            inserted = await conn.fetchval(
                "INSERT INTO transfers (key, sender_id, receiver_id, amount)"
                " VALUES ($1, $2, $3, $4) ON CONFLICT (key) DO NOTHING RETURNING 1",
                str(key), sender, receiver, cents,
            )  # fmt: skip
            if inserted is None:
                return "moved"  # by an attempt whose answer was lost
            balance = await conn.fetchval("SELECT balance FROM accounts WHERE id = $1", sender)
            if balance < cents:
                raise NotEnough
            # Prepared once, and both in one round trip.
            await conn.executemany(
                "UPDATE accounts SET balance = balance + $1 WHERE id = $2",
                [(-cents, sender), (cents, receiver)],
            )
            return "moved"
    except NotEnough:
        return "not enough"


async def passed_over() -> None:
    """A statement fails, nobody looks, and the transaction is committed."""
    conn = await asyncpg.connect(os.environ["DATABASE_URL"], **LIMITS)
    try:
        async with conn.transaction():
            await conn.execute(
                "INSERT INTO transfers (key, sender_id, receiver_id, amount)"
                " VALUES ('passed over', 1, 2, 1)"
            )
            try:
                await conn.execute("SELECT 1 / 0")
            except asyncpg.DivisionByZeroError:
                pass  # as careless code does
        print("COMMIT reported success")
    except asyncpg.PostgresError as error:
        print("COMMIT reported", error.sqlstate)
    await conn.close()


async def main() -> None:
    match sys.argv[1:]:
        case ["session"]:
            await session()
        case ["passed-over"]:
            await passed_over()
        case ["transfer", count]:
            async with await new_pool(1) as pool:
                for _ in range(int(count)):
                    async with asyncio.timeout(PATIENCE):
                        print((await transfer(pool, 1, 2, 10, uuid4()))[0])
        case ["overdraw"]:
            async with await new_pool(1) as pool:
                print((await transfer(pool, 1, 2, 1_000_000, uuid4()))[0])
        case ["race", workers, count]:
            async with await new_pool(int(workers)) as pool:

                async def work(number: int) -> list[int]:
                    pair = (1, 2) if number % 2 else (2, 1)
                    return [(await transfer(pool, *pair, 1, uuid4()))[1] for _ in range(int(count))]

                done = await asyncio.gather(*(work(number) for number in range(int(workers))))
            attempts = [n for each in done for n in each]
            print(f"moved {len(attempts)} times, in {sum(attempts)} attempts")
        case _:
            sys.exit("usage: with_asyncpg.py session | passed-over | transfer N | overdraw | race WORKERS N")


asyncio.run(main())
