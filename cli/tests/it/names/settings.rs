//! Settings with which no code can be generated, and names and comments with special characters.

use super::printed;
use crate::Project;

#[test]
fn settings_that_generated_code_cannot_have_are_refused() {
    let sql = "CREATE TABLE owners (id serial PRIMARY KEY);
        CREATE TABLE logs (owner_id int NOT NULL REFERENCES owners, at int NOT NULL, more int);
        CREATE TABLE days (at int) PARTITION BY RANGE (at); CREATE TABLE today PARTITION OF days DEFAULT;";
    let refused = |settings: &str, why: &str| {
        let text = printed(sql, &[("bowline.toml", settings)]);
        assert!(
            text.contains(why) && text.ends_with("exit 1"),
            "{settings}: {text}"
        );
    };
    for name in [
        "Vec",
        "Option",
        "String",
        "Page",
        "Result",
        "Box",
        "Self",
        "RunQueryDsl",
    ] {
        let why = format!("\"{name}\" is ");
        refused(&format!("[names]\nowners = \"{name}\"\n"), &why);
    }
    for (settings, why) in [
        (
            "[names]\ntoday = \"Today\"\n",
            "there is no table or enum today",
        ),
        (
            "[names]\ngone = \"Gone\"\n",
            "there is no table or enum gone",
        ),
        (
            "[keys]\nlogs = []\n",
            "the key of the table logs has no columns",
        ),
        (
            "[keys]\nlogs = [\"at\", \"at\"]\n",
            "has the column at twice",
        ),
        (
            "[keys]\nowners = [\"id\"]\n",
            "the table owners has a primary key",
        ),
        (
            "joinables = [\"logs.at\"]\n",
            "logs.at is not a foreign key",
        ),
    ] {
        refused(settings, why);
    }
    let fine = "joinables = [\"logs.owner_id\"]\n[names]\nowners = \"Holder\"\n[keys]\nlogs = [\"owner_id\", \"at\"]\n";
    let text = printed(sql, &[("bowline.toml", fine)]);
    assert!(text.ends_with("exit 0"), "{text}");
}

#[test]
fn a_later_table_takes_no_module_from_another() {
    let module = |sql: &str, table: &str| {
        let project = Project::new(&[("migrations/1_a/up.sql", sql)]);
        let names = "[names]\n\"a b\" = \"A\"\n\"a-b\" = \"B\"\n";
        let more = "\"a!b\" = \"C\"\n\"a_b\" = \"D\"\n";
        let more = if sql.contains("a!b") { more } else { "" };
        project.write("bowline.toml", &format!("{names}{more}"));
        let text = project.printed(&["generate", "--offline"], &[]);
        assert!(text.ends_with("exit 0"), "{text}");
        let schema = project.read("src/db/schema.rs");
        let attribute = format!("#[sql_name = \"{table}\"]");
        let mut lines = schema
            .lines()
            .skip_while(|line| line.trim() != attribute)
            .skip(1);
        lines
            .next()
            .map(str::to_owned)
            .unwrap_or_else(|| panic!("{table}: {schema}"))
    };
    let table = |name: &str| format!("CREATE TABLE \"{name}\" (id int);");
    let two = table("a b") + &table("a-b");
    let three = two.clone() + &table("a!b") + &table("a_b");
    for name in ["a b", "a-b"] {
        let settings = |sql: &str| module(&sql.replace("(id int)", "(id int PRIMARY KEY)"), name);
        assert_eq!(settings(&two), settings(&three), "{name}");
    }
}

#[test]
fn line_breaks_in_names_and_comments_stay_in_comments() {
    let sql = "CREATE TABLE \"two\nlines\" (id serial PRIMARY KEY, \"a\nb\" int NOT NULL UNIQUE, \"c\rd\" text);
        COMMENT ON TABLE \"two\nlines\" IS E'one\\nfn two() {}\\rfn three() {}';
        COMMENT ON COLUMN \"two\nlines\".\"a\nb\" IS E'one\\r\\nfn two() {}';";
    let project = Project::new(&[("migrations/1_a/up.sql", sql)]);
    let text = project.printed(&["generate", "--offline"], &[]);
    assert!(text.ends_with("exit 0"), "{text}");
    let folder = std::fs::read_dir(project.path("src/db")).expect("the folder");
    let files = folder.map(|file| file.expect("a file").path());
    let files: Vec<_> = files.collect();
    assert!(files.len() > 1, "{files:?}");
    for file in files {
        let text = std::fs::read_to_string(&file).expect("a file");
        let file = file.display();
        let parsed = syn::parse_file(&text);
        assert!(parsed.is_ok(), "{file}: {text}");
        for line in text.lines() {
            let code = line.trim_start();
            assert!(
                !code.starts_with("lines") && !code.starts_with("fn t"),
                "{file}: {text}"
            );
        }
    }
}
