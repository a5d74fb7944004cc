//! `bowline generate --workspace`.

use crate::Project;

const ROOT: (&str, &str) = (
    "Cargo.toml",
    "[workspace]\nmembers = [\"services/*\", \"tools\"]\nexclude = [\"services/old\"]\n",
);

fn member(name: &str) -> (String, String) {
    (
        format!("services/{name}/Cargo.toml"),
        format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\n"),
    )
}

fn workspace() -> Project {
    let project = Project::bare(&[ROOT]);
    for name in ["api", "old", "worker"] {
        let (path, text) = member(name);
        project.write(&path, &text);
        project.write(
            &format!("services/{name}/migrations/1_{name}s/up.sql"),
            &format!("CREATE TABLE {name}s (id serial PRIMARY KEY);"),
        );
    }
    project.write(
        "tools/Cargo.toml",
        "[package]\nname = \"tools\"\nversion = \"0.1.0\"\n",
    );
    project
}

#[test]
fn each_member_with_migrations_is_generated() {
    let project = workspace();
    let printed = project.printed(&["generate", "--workspace", "--offline"], &[]);
    assert!(printed.ends_with("exit 0"), "{printed}");
    assert!(printed.contains("services/api:\n") && printed.contains("services/worker:\n"));
    assert!(project.has("services/api/src/db/apis.rs"));
    assert!(project.has("services/worker/src/db/workers.rs"));
    assert!(!project.has("services/old/src/schema.rs") && !project.has("tools/src"));
    let printed = project.printed(&["generate", "--workspace", "--check", "--offline"], &[]);
    assert!(printed.ends_with("exit 0"), "{printed}");
}

#[test]
fn a_stale_member_is_named() {
    let project = workspace();
    project.run(&["generate", "--workspace", "--offline"]);
    project.write(
        "services/worker/migrations/2_more/up.sql",
        "ALTER TABLE workers ADD COLUMN name text;",
    );
    let check = ["generate", "--workspace", "--check", "--offline"];
    let printed = project.printed(&check, &[]);
    assert!(
        printed
            .contains("error: services/worker: the generated code does not match the migrations")
            && printed.ends_with("exit 1"),
        "{printed}"
    );
    project.write("services/api/migrations/2_more/up.sql", "CREATE TABEL x;");
    let printed = project.printed(&check, &[]);
    assert!(
        printed.contains("error: 2 members failed: services/api, services/worker")
            && printed.contains("services/api: ")
            && printed.ends_with("exit 1"),
        "{printed}"
    );
}

#[test]
fn outside_of_a_workspace_the_option_is_refused() {
    let project = Project::bare(&[(
        "Cargo.toml",
        "[package]\nname = \"a\"\nversion = \"0.1.0\"\n",
    )]);
    let printed = project.printed(&["generate", "--workspace"], &[]);
    assert!(
        printed.contains("is in no cargo workspace") && printed.ends_with("exit 1"),
        "{printed}"
    );
}
