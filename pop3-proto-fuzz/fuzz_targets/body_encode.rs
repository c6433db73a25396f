//! See `pop3_proto_fuzz::body_encode`.
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| pop3_proto_fuzz::body_encode::TARGET.run(data));

#[cfg(not(fuzzing))]
fn main() -> std::process::ExitCode {
    pop3_proto_fuzz::body_encode::TARGET.main()
}
