//! The code of the guide and of the README: `cargo test -p guide` compiles and runs each block of it.
//!
//! A page that has Rust in it and is not named here fails `tests/pages.rs`.

#[cfg(doctest)]
mod pages {
    #[doc = include_str!("../README.md")]
    struct Readme;
    #[doc = include_str!("README.md")]
    struct Index;
    #[doc = include_str!("first-client.md")]
    struct FirstClient;
    #[doc = include_str!("first-server.md")]
    struct FirstServer;
    #[doc = include_str!("tls.md")]
    struct Tls;
    #[doc = include_str!("sasl.md")]
    struct Sasl;
    #[doc = include_str!("pipelining.md")]
    struct Pipelining;
    #[doc = include_str!("leaving-mail.md")]
    struct LeavingMail;
    #[doc = include_str!("limits.md")]
    struct Limits;
    #[doc = include_str!("proxies.md")]
    struct Proxies;
    #[doc = include_str!("runtimes.md")]
    struct Runtimes;
    #[doc = include_str!("your-tests.md")]
    struct YourTests;
    #[doc = include_str!("fuzzing.md")]
    struct Fuzzing;
    #[doc = include_str!("comparison.md")]
    struct Comparison;
    #[doc = include_str!("design.md")]
    struct Design;
}
