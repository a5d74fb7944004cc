// The beginner's session and a transfer, with JDBC: PostgreSQL's driver, and HikariCP as its pool.

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import java.net.URI;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadLocalRandom;
import org.postgresql.ds.PGSimpleDataSource;

class WithJdbc {
    static final int ATTEMPTS = 10;
    static final long PATIENCE = 10_000; // ms, for all attempts together

    static PGSimpleDataSource source() {
        var url = URI.create(System.getenv("DATABASE_URL"));
        var source = new PGSimpleDataSource();
        source.setServerNames(new String[] {url.getHost()});
        source.setPortNumbers(new int[] {url.getPort()});
        source.setDatabaseName(url.getPath().substring(1));
        source.setUser(url.getUserInfo());
        source.setConnectTimeout(5);
        source.setLoginTimeout(5);
        source.setSocketTimeout(6); // for each read, kept on this side; what exceeds it loses the connection
        source.setOptions("-c statement_timeout=5s");
        return source;
    }

    static void session() throws SQLException {
        try (var connection = source().getConnection()) {
            connection.setAutoCommit(false);
            try (var statement = connection.createStatement()) {
                statement.execute("CREATE TABLE table1 (id serial PRIMARY KEY, description varchar(30) NOT NULL)");
            }
            try (var insert = connection.prepareStatement("INSERT INTO table1 (description) VALUES (?)")) {
                for (var description : List.of("New table", "called table 1")) {
                    insert.setString(1, description);
                    insert.addBatch();
                }
                insert.executeBatch();
            }
            try (var statement = connection.createStatement();
                    var rows = statement.executeQuery("SELECT id, description FROM table1 ORDER BY id")) {
                var shown = new ArrayList<String>();
                while (rows.next()) {
                    shown.add(rows.getInt("id") + " " + rows.getString("description"));
                }
                System.out.println("table1: " + String.join(", ", shown));
            }
            try (var statement = connection.createStatement()) {
                statement.execute("CREATE TABLE newtable (id int, status boolean NOT NULL DEFAULT false)");
            }
            try (var insert = connection.prepareStatement("INSERT INTO newtable VALUES (?, ?)")) {
                insert.setInt(1, 1);
                insert.setBoolean(2, true);
                insert.executeUpdate();
            }
            connection.commit();

            try (var second = source().getConnection();
                    var statement = second.createStatement();
                    var rows = statement.executeQuery("SELECT id, status FROM newtable")) {
                rows.next();
                System.out.println("a second session: " + rows.getInt("id") + " " + rows.getBoolean("status"));
            }

            try (var tables = connection.getMetaData().getTables(null, "public", "%", new String[] {"TABLE"})) {
                var names = new ArrayList<String>();
                while (tables.next()) {
                    names.add(tables.getString("TABLE_NAME"));
                }
                System.out.println("tables: " + String.join(", ", names));
            }

            try (var insert = connection.prepareStatement("INSERT INTO table1 (description) VALUES (?)")) {
                insert.setString(1, "x".repeat(31));
                insert.executeUpdate();
            } catch (SQLException error) {
                System.out.println("too long: " + error.getSQLState());
                connection.rollback();
            }
        }
    }

    static HikariDataSource newPool(int size) {
        var config = new HikariConfig();
        config.setDataSource(source());
        config.setMaximumPoolSize(size);
        config.setMinimumIdle(1);
        config.setConnectionTimeout(5000);
        config.setAutoCommit(false);
        config.setTransactionIsolation("TRANSACTION_SERIALIZABLE");
        return new HikariDataSource(config);
    }

    record Sent(String outcome, int attempts) {}

    /** Worth another attempt: conflicts, and connections that were lost. */
    static boolean isTransient(SQLException error) {
        var state = error.getSQLState();
        return state == null || state.equals("40001") || state.equals("40P01") || state.startsWith("08") || state.startsWith("57P");
    }

    /** Moves money once for this key: what became of it, and after how many attempts. */
    static Sent transfer(HikariDataSource pool, long from, long to, long cents, UUID key)
            throws SQLException, InterruptedException {
        long deadline = System.currentTimeMillis() + PATIENCE;
        for (int attempt = 1; ; attempt++) {
            try (var connection = pool.getConnection()) {
                try {
                    return new Sent(attemptTransfer(connection, from, to, cents, key), attempt);
                } catch (SQLException error) {
                    if (!connection.isClosed()) {
                        connection.rollback();
                    }
                    throw error;
                }
            } catch (SQLException error) {
                // Also where the COMMIT was under way. The key makes it safe to try again: if the work is done,
                // the next attempt finds the key and does nothing.
                if (!isTransient(error) || attempt == ATTEMPTS || System.currentTimeMillis() > deadline) {
                    throw error;
                }
            }
            Thread.sleep(ThreadLocalRandom.current().nextLong(Math.min(1000, 20L << attempt)));
        }
    }

    static String attemptTransfer(Connection connection, long from, long to, long cents, UUID key)
            throws SQLException {
        // BEGIN travels with the first statement.
        try (var insert = connection.prepareStatement(
                "INSERT INTO transfers (key, sender_id, receiver_id, amount) VALUES (?, ?, ?, ?)"
                        + " ON CONFLICT (key) DO NOTHING")) {
            insert.setString(1, key.toString());
            insert.setLong(2, from);
            insert.setLong(3, to);
            insert.setLong(4, cents);
            if (insert.executeUpdate() == 0) {
                connection.rollback();
                return "moved"; // by an attempt whose answer was lost
            }
        }
        try (var select = connection.prepareStatement("SELECT balance FROM accounts WHERE id = ?")) {
            select.setLong(1, from);
            try (var rows = select.executeQuery()) {
                rows.next();
                if (rows.getLong("balance") < cents) {
                    connection.rollback();
                    return "not enough";
                }
            }
        }
        // Both in one round trip.
        try (var update = connection.prepareStatement("UPDATE accounts SET balance = balance + ? WHERE id = ?")) {
            update.setLong(1, -cents);
            update.setLong(2, from);
            update.addBatch();
            update.setLong(1, cents);
            update.setLong(2, to);
            update.addBatch();
            update.executeBatch();
        }
        connection.commit();
        return "moved";
    }

    /** A statement fails, nobody looks, and the transaction is committed. */
    static void passedOver() throws SQLException {
        try (var connection = source().getConnection(); var statement = connection.createStatement()) {
            connection.setAutoCommit(false);
            statement.execute("INSERT INTO transfers (key, sender_id, receiver_id, amount) VALUES ('passed over', 1, 2, 1)");
            try {
                statement.execute("SELECT 1 / 0");
            } catch (SQLException passedOver) {
                // as careless code does
            }
            try {
                connection.commit();
                System.out.println("COMMIT reported success");
            } catch (SQLException error) {
                System.out.println("COMMIT reported " + error.getSQLState());
            }
        }
    }

    public static void main(String[] arguments) throws Exception {
        switch (arguments[0]) {
            case "session" -> session();
            case "passed-over" -> passedOver();
            case "transfer" -> {
                try (var pool = newPool(1)) {
                    for (int n = 0; n < Integer.parseInt(arguments[1]); n++) {
                        System.out.println(transfer(pool, 1, 2, 10, UUID.randomUUID()).outcome());
                    }
                }
            }
            case "overdraw" -> {
                try (var pool = newPool(1)) {
                    System.out.println(transfer(pool, 1, 2, 1_000_000, UUID.randomUUID()).outcome());
                }
            }
            case "race" -> {
                int workers = Integer.parseInt(arguments[1]), count = Integer.parseInt(arguments[2]);
                var threads = Executors.newFixedThreadPool(workers);
                int moved = 0, attempts = 0;
                try (var pool = newPool(workers)) {
                    var works = new ArrayList<Future<Integer>>();
                    for (int worker = 0; worker < workers; worker++) {
                        long from = worker % 2 == 1 ? 1 : 2, to = 3 - from;
                        works.add(threads.submit(() -> {
                            int tried = 0;
                            for (int n = 0; n < count; n++) {
                                tried += transfer(pool, from, to, 1, UUID.randomUUID()).attempts();
                            }
                            return tried;
                        }));
                    }
                    for (var work : works) {
                        attempts += work.get();
                        moved += count;
                    }
                } finally {
                    threads.shutdown();
                }
                System.out.println("moved " + moved + " times, in " + attempts + " attempts");
            }
            default -> throw new IllegalArgumentException(arguments[0]);
        }
    }
}
