//! The help of every command, and other texts that are derived from the command line.

use std::fs;

use crate::Project;

/// Collects the words of each command and subcommand from clap.
fn commands(command: &clap::Command, words: &[String], found: &mut Vec<Vec<String>>) {
    found.push(words.to_vec());
    for subcommand in command.get_subcommands() {
        let words: Vec<String> = [words, &[subcommand.get_name().to_owned()]].concat();
        commands(subcommand, &words, found);
    }
}

#[test]
fn the_help_of_every_command_has_an_example() {
    let project = Project::new(&[]);
    let mut found = Vec::new();
    commands(&bowline_cli::command(), &[], &mut found);
    for top in bowline_cli::command()
        .get_subcommands()
        .map(clap::Command::get_name)
        .chain([""])
    {
        let mut text = String::new();
        let is_of_it = |words: &&Vec<String>| words.first().map_or("", String::as_str) == top;
        for words in found.iter().filter(is_of_it) {
            let arguments: Vec<&str> = words.iter().map(String::as_str).chain(["--help"]).collect();
            let output = project.run(&arguments);
            assert!(output.status.success(), "{words:?}");
            let help = String::from_utf8_lossy(&output.stdout).into_owned();
            let example = format!("Example: bowline {}", words.join(" "));
            let has_example = help.contains(example.trim_end()) || help.contains("$(bowline");
            assert!(has_example, "the help of {words:?} has no example: {help}");
            text.push_str(&format!("$ bowline {}\n{help}\n", arguments.join(" ")));
        }
        let name = if top.is_empty() { "bowline" } else { top };
        insta::assert_snapshot!(format!("help_{name}"), text);
    }
}

#[test]
fn an_invalid_command_line_exits_with_2() {
    let output = Project::new(&[]).run(&["generat"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
    let printed = String::from_utf8_lossy(&output.stderr);
    assert!(
        printed.contains("tip: ") && printed.contains("'generate'"),
        "{printed}"
    );
}

#[test]
fn there_are_completions_for_each_shell() {
    let project = Project::new(&[]);
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let output = project.run(&["completions", shell]);
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(
            output.status.success() && text.contains("migrate") && text.contains("read-only"),
            "{shell}: {text}"
        );
    }
    let printed = project.printed(&["completions", "csh"], &[]);
    assert!(
        printed.contains("[possible values: bash, elvish, fish, powershell, zsh]")
            && printed.ends_with("exit 2"),
        "{printed}"
    );
}

#[test]
fn completions_work_in_bash() {
    let project = Project::new(&[]);
    let completions = project.run(&["completions", "bash"]);
    project.write("completions", &String::from_utf8_lossy(&completions.stdout));
    let script = ". ./completions; COMP_WORDS=(bowline mig); COMP_CWORD=1; _bowline bowline mig bowline; echo ${COMPREPLY[@]}";
    let output = std::process::Command::new("bash")
        .args(["--norc", "-c", script])
        .current_dir(project.path(""))
        .output()
        .expect("a bash");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "migrate\n");
}

#[test]
fn there_is_a_man_page_for_each_command() {
    let project = Project::new(&[]);
    let page = project.run(&["man"]);
    assert!(String::from_utf8_lossy(&page.stdout).contains(".TH bowline 1"));
    assert_eq!(project.run(&["man", "pages"]).status.code(), Some(0));
    let mut found = Vec::new();
    commands(&bowline_cli::command(), &["bowline".to_owned()], &mut found);
    for words in found {
        let page = fs::read_to_string(project.path(&format!("pages/{}.1", words.join("-"))))
            .expect("a page");
        assert!(page.contains(".SH SYNOPSIS"), "{words:?}");
    }
    project.write("a file", "");
    let printed = project.printed(&["man", "a file"], &[]);
    assert!(
        printed.starts_with("error: cannot write to a file: ") && printed.ends_with("exit 1"),
        "{printed}"
    );
}
