//! `fail/` has wrong programs with the compiler's words beside them, `pass/` has programs of each accepted form.

#[test]
fn ui() {
    let programs = trybuild::TestCases::new();
    programs.pass("pass/*.rs");
    programs.compile_fail("fail/*.rs");
}
