//! What a page shows for CI and images, done as far as it can be without GitHub and Docker.
//!
//! The checks of the workflow run in the page's package. The image's build context is a folder with
//! exactly the files that the Dockerfile copies. There its `RUN cargo` line compiles them, without
//! `--release`, since only the profile of the tests has its dependencies compiled already.

use std::fs;
use std::path::Path;

use super::page::Page;
use super::terminal::Terminal;

/// Returns the block of a page that is this file.
fn file<'a>(page: &'a Page, name: &str) -> &'a str {
    let mut blocks = page.blocks().into_iter();
    let found = blocks.find(|block| block.file == Some(name));
    found
        .unwrap_or_else(|| panic!("{} has no {name}", page.name))
        .text
}

/// Returns the commands of a workflow that check something, not those that install programs.
fn checks(workflow: &str) -> Vec<&str> {
    let commands = workflow
        .lines()
        .filter_map(|line| line.trim().strip_prefix("- run: "));
    commands
        .filter(|command| !command.contains("apt-get") && !command.starts_with("cargo install"))
        .collect()
}

/// Runs the checks of the workflow: all of them pass on what is committed, and the first and the
/// last one fail on a migration without its code.
pub(super) fn run_workflow(terminal: &Terminal, page: &Page) {
    let checks = checks(file(page, ".github/workflows/ci.yml"));
    assert_eq!(checks.len(), 3, "{checks:?}");
    for check in &checks {
        let (printed, succeeded) = terminal.run(check);
        assert!(succeeded, "$ {check}\n{printed}");
    }
    terminal.write(MIGRATION, "ALTER TABLE notes ADD COLUMN author text;\n");
    for check in [checks[0], checks[2]] {
        let (printed, succeeded) = terminal.run(check);
        assert!(!succeeded, "$ {check}\n{printed}");
    }
    let (printed, succeeded) = terminal.run("rm -r migrations/*_add_author");
    assert!(succeeded, "{printed}");
}

const MIGRATION: &str = "migrations/2026-11-26-090000_add_author/up.sql";

/// Builds the image of the Dockerfile, runs its program, and builds it again without the line that
/// copies the migrations.
pub(super) fn build_image(terminal: &Terminal, page: &Page) {
    let text = file(page, "Dockerfile");
    let whole = Stage::first(text);
    // `script/static-build` compiles what this one copies.
    let of_static = Stage::first(file(page, "Dockerfile.static"));
    assert_eq!(of_static.copies, whole.copies);
    let (printed, succeeded) = whole.build(terminal, "image");
    assert!(succeeded, "{printed}");
    let program = text
        .lines()
        .find_map(|line| line.strip_prefix("COPY --from=build /app/target/release/"))
        .and_then(|copied| copied.split(' ').next())
        .expect("the program is copied");
    assert!(text.contains(&format!("CMD [\"{program}\"]")), "{text}");
    let (printed, succeeded) = terminal.run(&format!("\"$CARGO_TARGET_DIR\"/debug/{program}"));
    assert!(succeeded && printed.contains("notes: "), "{printed}");
    loads_only_what_the_image_has(terminal, program, text);

    let copies_migrations = "COPY migrations migrations";
    let without = text.replace(&format!("{copies_migrations}\n"), "");
    assert_ne!(without, text);
    let (printed, succeeded) = Stage::first(&without).build(terminal, "without");
    let error = printed
        .lines()
        .find(|line| line.contains(copies_migrations));
    let error = error.unwrap_or_else(|| panic!("no error names the line:\n{printed}"));
    assert!(!succeeded);
    let error = error.replace("/home/ann/without", "/app");
    let mut shown = page
        .blocks()
        .into_iter()
        .filter(|block| block.language == "text");
    assert_eq!(
        shown.next().map(|block| block.text.trim_end()),
        Some(error.as_str())
    );
}

/// The program loads the C library's files, which every Debian has, and what the image's packages
/// hold.
fn loads_only_what_the_image_has(terminal: &Terminal, program: &str, dockerfile: &str) {
    if !cfg!(target_os = "linux") {
        return;
    }
    let (printed, _) = terminal.run(&format!("ldd \"$CARGO_TARGET_DIR\"/debug/{program}"));
    const DEBIAN: [&str; 6] = [
        "linux-vdso",
        "ld-linux",
        "libc.so",
        "libm.so",
        "libgcc_s.so",
        "libdl.so",
    ];
    let names = printed
        .lines()
        .filter_map(|line| line.split_whitespace().next());
    let others: Vec<&str> = names
        .filter(|name| !DEBIAN.iter().any(|known| name.contains(known)))
        .collect();
    assert!(!others.is_empty(), "{printed}");
    for name in others {
        let is_openssl = name.starts_with("libssl.so.3") || name.starts_with("libcrypto.so.3");
        assert!(is_openssl, "{name} is in no package of the image");
    }
    assert!(dockerfile.contains(" libssl3 "), "{dockerfile}");
}

/// The stage of a Dockerfile that compiles.
struct Stage<'a> {
    /// Sources and targets of its `COPY` lines, in a folder as its `WORKDIR` is.
    copies: Vec<(Vec<&'a str>, &'a str)>,
    /// The command that compiles.
    cargo: &'a str,
}

impl<'a> Stage<'a> {
    fn first(dockerfile: &'a str) -> Self {
        let (stage, _) = dockerfile.split_once("\n\nFROM ").expect("two stages");
        let copies = stage.lines().filter_map(|line| line.strip_prefix("COPY "));
        let copies = copies.map(|line| {
            let mut words: Vec<&str> = line.split(' ').collect();
            let target = words.pop().expect("a target");
            (words, target)
        });
        let mut commands = stage.lines().filter_map(|line| line.strip_prefix("RUN "));
        let cargo = commands.find(|command| command.starts_with("cargo "));
        Self {
            copies: copies.collect(),
            cargo: cargo.expect("it compiles"),
        }
    }

    /// Copies what it names into a folder beside the package, and compiles there.
    fn build(&self, terminal: &Terminal, name: &str) -> (String, bool) {
        let package = terminal.folder();
        let context = package.with_file_name(name);
        fs::create_dir(&context).expect("a folder");
        for (sources, target) in &self.copies {
            for source in sources {
                let target = match target.strip_suffix('/') {
                    Some(folder) => context.join(folder).join(source),
                    None => context.join(target),
                };
                copy(&package.join(source), &target);
            }
        }
        let command = self.cargo.replace(" --release", "");
        terminal.run(&format!("(cd {} && {command})", context.display()))
    }
}

/// Copies a file, or what is in a folder.
fn copy(from: &Path, to: &Path) {
    if from.is_dir() {
        fs::create_dir_all(to).expect("a folder");
        for entry in fs::read_dir(from).expect("a folder") {
            let path = entry.expect("an entry").path();
            copy(&path, &to.join(path.file_name().expect("a name")));
        }
    } else {
        fs::copy(from, to).unwrap_or_else(|error| panic!("{}: {error}", from.display()));
    }
}
