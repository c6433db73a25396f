//! The programs that others start from do what they say.

use std::process::ExitCode;

#[allow(dead_code, reason = "the program's own `main` is not called here")]
#[path = "../examples/seeds/main.rs"]
mod seeds;

#[allow(dead_code, reason = "the program's own `main` is not called here")]
#[path = "../examples/toy_parser.rs"]
mod toy_parser;

#[test]
fn the_named_seeds_are_those_that_the_program_writes() {
    assert_eq!(seeds::write(true), ExitCode::SUCCESS, "cargo run -p pop3-proto-fuzz --example seeds");
}

#[test]
fn the_oracles_find_the_mistakes_of_a_toy() {
    assert_eq!(toy_parser::find(), ExitCode::SUCCESS);
}
