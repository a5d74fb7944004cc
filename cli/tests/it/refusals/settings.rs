//! No settings, or such as cannot be read.

use super::Said;

#[test]
fn what_is_wrong_with_the_settings_is_said_without_showing_them() {
    let mut said = Said::new();
    said.of_command("nothing says where the database is", &[]);
    said.of_command("DATABASE_URL is empty", &[("DATABASE_URL", "")]);
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
            "a port that is no number",
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
            "a timeout that is no number",
            "postgres://ann:s3cret@db/bank?connect_timeout=5s",
        ),
        (
            "a list with a word too many",
            "host=db user=ann password=s3cret and more",
        ),
    ] {
        said.of_url(title, url);
    }
    said.of_command(
        "PGPORT that is no number",
        &[("PGHOST", "127.0.0.1"), ("PGPORT", "54e2")],
    );
    said.of_command("a service that is in no file", &[("PGSERVICE", "bank")]);
    said.project
        .write(".env", "DATABASE_URL=postgres://ann:s3cret word@db/bank\n");
    said.of_command("a file .env that cannot be read", &[]);
    said.project
        .write(".env", "DATABASE_URL=postgress://ann:s3cret@db/bank\n");
    said.of_command("a URL with a typo in a file .env", &[]);
    insta::assert_snapshot!("settings", said.text());
}
