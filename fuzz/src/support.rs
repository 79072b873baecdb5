//! Support in the place where the main package's tests have it too.

#[path = "../../tests/support/keys.rs"]
#[allow(
    dead_code,
    unreachable_pub,
    reason = "the tests use more of it, and in a library"
)]
mod keys;

pub use keys::Keys;
