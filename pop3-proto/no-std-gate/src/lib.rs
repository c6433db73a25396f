//! The proof that pop3-proto needs an allocator and nothing else.
//!
//! A program has one panic handler. This crate defines it, and std, should anything that is linked here use it,
//! defines it again: the build then fails with "found duplicate lang item `panic_impl`". Building for the host is
//! enough for that, so no embedded target has to be installed.
//!
//! [`pop3_session`] drives both machines through the public API, so that the check covers code and not just names;
//! `main.c` runs it. `.ci/run no_std` does all of this for every combination of features that leaves std out, and makes
//! sure that the build does fail with the feature `std`.

#![no_std]

mod heap;
mod session;

use core::panic::PanicInfo;

#[global_allocator]
static HEAP: heap::Heap = heap::Heap::new();

/// Runs one session between a client and a server in memory and returns 0 when it went as RFC 1939 says, otherwise
/// the number of the step that did not.
#[unsafe(no_mangle)]
pub extern "C" fn pop3_session() -> i32 {
    match session::run() {
        Ok(()) => 0,
        Err(step) => step,
    }
}

unsafe extern "C" {
    safe fn abort() -> !;
}

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    abort()
}
