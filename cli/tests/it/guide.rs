//! The guide: its pages show the output that the commands print.
//!
//! The tests run the commands of the `console` blocks in order, and compare the output with the
//! page. A block with a file name is written to that file. An `sql` block without one runs on the
//! database of `DATABASE_URL`. `INSTA_UPDATE=always` writes the output into the page. `rust` blocks
//! are doc tests, in `src/guide.rs`. Rust that is a whole file is an `rs` block, so that no doc
//! test has to be ignored.

mod image;
mod page;
mod terminal;

use std::fs;
use std::path::Path;

use bowline::{Config, Session};
use diesel::connection::SimpleConnection as _;
use similar::TextDiff;

use page::{Block, Page, docs, pages};
use terminal::Terminal;

/// Follows a page, and returns the terminal in which its commands ran. Panics with the difference
/// where the page does not show what the commands print.
fn follow(name: &str) -> Terminal {
    let page = Page::read(name);
    let terminal = Terminal::open(&page.text);
    let (mut text, mut copied) = (String::new(), 0);
    for block in page.blocks() {
        match (block.language, block.file) {
            ("console", _) => {
                text.push_str(&page.text[copied..block.start]);
                text.push_str(&type_in(&terminal, &page, &block));
                copied = block.start + block.text.len();
            }
            (_, Some(file)) => terminal.write(file, block.text),
            ("sql", None) => run_sql(&terminal, &page, &block),
            _ => {}
        }
    }
    text.push_str(&page.text[copied..]);
    if text == page.text {
        return terminal;
    }
    if is_update() {
        fs::write(docs().join("guide").join(name), text).expect("the page");
        return terminal;
    }
    let diff = TextDiff::from_lines(&page.text, &text);
    let diff = diff
        .unified_diff()
        .header("the page", "what happens")
        .to_string();
    panic!("docs/guide/{name} differs; INSTA_UPDATE=always updates it\n{diff}");
}

/// Returns true if the pages are to be updated instead of compared.
fn is_update() -> bool {
    std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always")
}

/// Runs the commands of a block, and returns the block with their output.
fn type_in(terminal: &Terminal, page: &Page, block: &Block<'_>) -> String {
    let mut text = String::new();
    let mut lines = block.text.lines().peekable();
    while let Some(line) = lines.next() {
        let at = format!("{}: the block at line {}", page.name, block.line);
        let command = line
            .strip_prefix("$ ")
            .unwrap_or_else(|| panic!("{at} does not begin with a command"));
        let mut shown = Vec::new();
        while let Some(line) = lines.next_if(|line| !line.starts_with("$ ")) {
            shown.push(line);
        }
        let (printed, succeeded) = terminal.run(command);
        let tells_failure = shown
            .iter()
            .any(|line| line.starts_with("error") || line.starts_with("  problem"));
        assert!(
            is_update() || succeeded != tells_failure,
            "{at}: $ {command}\n{printed}"
        );
        let printed: Vec<&str> = printed.lines().map(str::trim_end).collect();
        text.push_str(&format!("{line}\n"));
        for line in if fits(&shown, &printed) {
            shown
        } else {
            printed
        } {
            text.push_str(&format!("{line}\n"));
        }
    }
    text
}

/// Returns true if the output is the one that is shown. A shown line `..` stands for any lines.
fn fits(shown: &[&str], printed: &[&str]) -> bool {
    match shown {
        [] => printed.is_empty(),
        [".."] => true,
        ["..", rest @ ..] => (0..=printed.len()).any(|skipped| fits(rest, &printed[skipped..])),
        [first, rest @ ..] => printed
            .split_first()
            .is_some_and(|(line, printed)| line == first && fits(rest, printed)),
    }
}

fn run_sql(terminal: &Terminal, page: &Page, block: &Block<'_>) {
    let at = format!("{}: the block at line {}", page.name, block.line);
    let url = terminal
        .variable("DATABASE_URL")
        .unwrap_or_else(|| panic!("{at}: no DATABASE_URL"));
    let config = Config::from_url(&url).expect("a URL");
    let mut session = Session::connect(&config).unwrap_or_else(|error| panic!("{at}: {error}"));
    session
        .batch_execute(block.text)
        .unwrap_or_else(|error| panic!("{at}: {error}"));
}

#[test]
fn only_two_dots_stand_for_any_lines() {
    assert!(fits(&["a", "..", "c"], &["a", "b", "b", "c"]));
    assert!(fits(&["..", "c"], &["c"]));
    assert!(!fits(&["a", "..", "c"], &["a", "b"]));
    assert!(!fits(&["a"], &["a", "b"]));
    assert!(!fits(&["a", "b"], &["a"]));
}

#[test]
fn getting_started_shows_what_happens() {
    follow("getting-started.md");
}

#[test]
fn migrations_show_what_happens() {
    follow("migrations.md");
}

#[test]
fn coming_from_diesel_shows_what_happens() {
    follow("coming-from-diesel.md");
}

#[test]
fn operating_shows_what_happens() {
    follow("operating.md");
}

#[test]
fn ci_and_images_are_as_the_guide_says() {
    let terminal = follow("ci-and-images.md");
    let page = Page::read("ci-and-images.md");
    image::run_workflow(&terminal, &page);
    image::build_image(&terminal, &page);
}

#[test]
fn every_page_of_the_guide_is_run() {
    let this = include_str!("guide.rs");
    let doc_tests = fs::read_to_string(docs().join("../src/guide.rs")).expect("the doc tests");
    for page in pages() {
        let (blocks, name) = (page.blocks(), &page.name);
        let has = |languages: &[&str]| {
            let mut blocks = blocks.iter();
            blocks.any(|block| languages.contains(&block.language))
        };
        assert!(
            !has(&["console"]) || this.contains(&format!("follow(\"{name}\")")),
            "{name} is not followed"
        );
        assert!(
            !has(&["rust", "rust,test_harness"])
                || doc_tests.contains(&format!("docs/guide/{name}")),
            "{name} is not a doc test"
        );
    }
}

#[test]
fn the_guide_quotes_files_exactly() {
    for page in pages() {
        for block in page.blocks() {
            let Some(file) = block.file.filter(|file| file.starts_with("../")) else {
                continue;
            };
            let source = fs::read_to_string(docs().join("guide").join(file)).expect(file);
            let line = block.line;
            assert!(
                source.contains(block.text),
                "{}: line {line} is not in {file}",
                page.name
            );
        }
    }
}

#[test]
fn blocks_that_are_not_run_are_listed() {
    let mut shown = String::new();
    for page in pages() {
        let blocks = page.blocks();
        let mut typed = blocks.iter().filter(|block| block.language == "console");
        let follows = typed.clone().next().is_some();
        let compiles = typed.any(|block| block.text.contains("$ cargo "));
        for block in &blocks {
            let is_run = match (block.language, block.file) {
                ("rust" | "rust,test_harness" | "console", _) => true,
                // `image::build_image` compares it with the error.
                ("text", None) if page.name == "ci-and-images.md" => true,
                // `lint::tests` of the engine runs them.
                ("sql", None) if page.name == "lint.md" => true,
                (_, Some(file)) if file.starts_with("../") => true,
                ("rs", Some(_)) => compiles,
                ("sql", None) | (_, Some(_)) => follows,
                _ => false,
            };
            if !is_run {
                let first = block.text.lines().next().unwrap_or_default();
                shown.push_str(&format!("{} {}: {first}\n", page.name, block.language));
            }
        }
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn each_claim_names_tests_and_scripts_that_are_there() {
    let root = docs().join("..");
    let claims = fs::read_to_string(docs().join("CLAIMS.md")).expect("the claims");
    let pool = fs::read_to_string(docs().join("POOL.md")).expect("the pool's guarantees");
    let pool = pool.split("\n## ").next().unwrap_or_default();
    let rows = claims.lines().chain(pool.lines());
    let cells = rows.filter_map(|line| line.strip_prefix("| ")?.rsplit(" | ").next());
    let named: Vec<&str> = cells
        .flat_map(|cell| cell.split('`').skip(1).step_by(2))
        .collect();
    assert!(named.len() > 100, "only {} are named", named.len());
    let sources = rust_below(&root);
    let missing: Vec<&&str> = named
        .iter()
        .filter(|name| match name.contains('/') {
            true => !root.join(name).exists(),
            false => !sources.contains(&format!("fn {name}(")),
        })
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
    for page in pages() {
        let has_rows = claims.contains(&format!("(guide/{})", page.name));
        assert!(has_rows, "no claim of guide/{} has its test", page.name);
    }
}

/// Returns the Rust code below a folder as one text, without cargo's target folder.
fn rust_below(folder: &Path) -> String {
    let entries = fs::read_dir(folder).expect("a folder").flatten();
    let texts = entries.map(|entry| {
        let (path, name) = (entry.path(), entry.file_name());
        let is_built = name == "target" || name.to_string_lossy().starts_with('.');
        if path.is_dir() && !path.is_symlink() && !is_built {
            rust_below(&path)
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            fs::read_to_string(path).unwrap_or_default()
        } else {
            String::new()
        }
    });
    texts.collect()
}

#[test]
fn links_work_and_no_page_is_left_out() {
    let root = docs().join("..");
    let summary = fs::read_to_string(docs().join("SUMMARY.md")).expect("the summary");
    let mut files = vec![root.join("catalog/README.md")];
    for folder in [
        root.clone(),
        docs(),
        docs().join("guide"),
        docs().join("decisions"),
    ] {
        let entries = fs::read_dir(folder).expect("a folder").flatten();
        files.extend(
            entries
                .map(|entry| entry.path())
                .filter(|path| path.extension().is_some_and(|end| end == "md")),
        );
    }
    let link = regex::Regex::new(r"\]\(([^)\s]+)\)").expect("a pattern");
    let mut dead = Vec::new();
    for page in files
        .iter()
        .filter_map(|file| file.strip_prefix(docs()).ok())
    {
        let page = page.display().to_string();
        let is_chapter = page != "SUMMARY.md" && !page.starts_with("..");
        if is_chapter && !summary.contains(&format!("({page})")) {
            dead.push(format!("SUMMARY.md leaves out {page}"));
        }
    }
    for file in &files {
        let text = fs::read_to_string(file).expect("a page");
        for found in link.captures_iter(&text) {
            let target = &found[1];
            let (path, heading) = target.split_once('#').unwrap_or((target, ""));
            if path.contains("://") {
                continue;
            }
            let there = if path.is_empty() {
                file.clone()
            } else {
                file.with_file_name(path)
            };
            let is_there = there.exists()
                && (heading.is_empty() || headings(&there).contains(&heading.to_owned()));
            if !is_there {
                dead.push(format!("{}: {target}", file.display()));
            }
        }
    }
    assert!(dead.is_empty(), "{}", dead.join("\n"));
}

/// Returns the anchors of a page's headings.
fn headings(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap_or_default();
    let titles = text.lines().filter_map(|line| line.strip_prefix('#'));
    titles
        .map(|title| {
            let title = title.trim_start_matches('#').trim().to_lowercase();
            let kept = title
                .chars()
                .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
            kept.map(|c| if c == ' ' { '-' } else { c }).collect()
        })
        .collect()
}
