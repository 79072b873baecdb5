//! The tests of `keysieve-verify`: the real program against servers of our own on this machine.

#![allow(
    unreachable_pub,
    reason = "a test binary has no outside; its modules read like those of a library"
)]

mod support;

mod faults;
mod input;
mod links;
mod own;
mod promises;
mod proof;
mod resume;
mod tls;
