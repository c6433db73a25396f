//! See `pop3_proto_fuzz::server_hostile_client`.
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| pop3_proto_fuzz::server_hostile_client::TARGET.run(data));

#[cfg(not(fuzzing))]
fn main() -> std::process::ExitCode {
    pop3_proto_fuzz::server_hostile_client::TARGET.main()
}
