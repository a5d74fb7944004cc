//! Missing settings, and settings that cannot be parsed.

use super::Said;

#[test]
fn invalid_parameters_are_reported_without_values() {
    let mut printed = Said::new();
    printed.of_command("nothing says where the database is", &[]);
    printed.of_command("DATABASE_URL is empty", &[("DATABASE_URL", "")]);
    for (title, url) in [
        ("another scheme", "mysql://ann:s3cret@db:3306/bank"),
        ("a scheme with a typo", "postgress://ann:s3cret@db/bank"),
        (
            "a URL for Java",
            "jdbc:postgresql://db:5432/bank?user=ann&password=s3cret",
        ),
        ("no scheme", "ann:s3cret@db:5432/bank"),
        (
            "quotes from a file of settings",
            "\"postgres://ann:s3cret@db/bank\"",
        ),
        ("a space", "postgres://ann:s3cret@db /bank"),
        (
            "a port that is not a number",
            "postgres://ann:s3cret@db:54e2/bank",
        ),
        (
            "a port out of range",
            "postgres://ann:s3cret@db:54320000/bank",
        ),
        ("a password with @", "postgres://ann:s3cret@1@db:5432/bank"),
        ("a password with /", "postgres://ann:s3cret/1@db:5432/bank"),
        ("a password with %", "postgres://ann:s3cret%1@db:5432/bank"),
        (
            "a parameter with a typo",
            "postgres://ann:s3cret@db/bank?ssl_mode=require",
        ),
        (
            "a parameter of another library's",
            "postgres://ann:s3cret@db/bank?schema=public",
        ),
        (
            "a value with a typo",
            "postgres://ann:s3cret@db/bank?sslmode=required",
        ),
        (
            "a timeout that is not a number",
            "postgres://ann:s3cret@db/bank?connect_timeout=5s",
        ),
        (
            "a list with a word too many",
            "host=db user=ann password=s3cret and more",
        ),
    ] {
        printed.of_url(title, url);
    }
    printed.of_command(
        "PGPORT that is not a number",
        &[("PGHOST", "127.0.0.1"), ("PGPORT", "54e2")],
    );
    printed.of_command("a service that is in no file", &[("PGSERVICE", "bank")]);
    printed
        .project
        .write(".env", "DATABASE_URL=postgres://ann:s3cret word@db/bank\n");
    printed.of_command("a file .env that cannot be read", &[]);
    printed
        .project
        .write(".env", "DATABASE_URL=postgress://ann:s3cret@db/bank\n");
    printed.of_command("a URL with a typo in a file .env", &[]);
    insta::assert_snapshot!("settings", printed.text());
}
