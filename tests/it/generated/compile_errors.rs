//! What must not compile, each beside a twin that differs only in the mistake and compiles.

#[test]
fn mistakes_do_not_compile_and_their_twins_do() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/ui/*_wrong.rs");
    cases.pass("tests/ui/*_right.rs");
}
