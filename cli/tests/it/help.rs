//! The help of every command.

use crate::Project;

#[test]
fn every_command_explains_itself_with_an_example() {
    let project = Project::new(&[]);
    let mut text = String::new();
    for command in [
        &["--help"][..],
        &["init", "--help"],
        &["generate", "--help"],
        &["migrate", "--help"],
        &["verify", "--help"],
        &["drift", "--help"],
        &["diff", "--help"],
        &["catalog", "--help"],
        &["schema", "--help"],
        &["server", "--help"],
        &["doctor", "--help"],
        &["top", "--help"],
    ] {
        let output = project.run(command);
        assert!(output.status.success());
        text.push_str(&format!(
            "$ bowline {}\n{}\n",
            command.join(" "),
            String::from_utf8_lossy(&output.stdout)
        ));
    }
    insta::assert_snapshot!(text);
}

#[test]
fn a_wrong_command_line_exits_with_2() {
    assert_eq!(Project::new(&[]).run(&["generat"]).status.code(), Some(2));
}
