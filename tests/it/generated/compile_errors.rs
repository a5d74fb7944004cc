//! Code that must not compile. Beside each file is one that compiles, and differs only in the
//! mistake.

#[test]
fn mistakes_do_not_compile_and_their_twins_do() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/ui/*_wrong.rs");
    cases.pass("tests/ui/*_right.rs");
}
