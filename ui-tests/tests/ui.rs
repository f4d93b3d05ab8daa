//! `fail/` has wrong programs with the compiler's words beside them. `examples/` has programs of each accepted form: that
//! they compile is their test, and Cargo does it with those in `tests/`.

#[test]
fn wrong_programs_are_told_what_would_be_right() {
    trybuild::TestCases::new().compile_fail("fail/*.rs");
}
