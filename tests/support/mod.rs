//! Support for the tests: key material made at run time, real repositories, the real program.

#![allow(dead_code, reason = "each test module uses a part of it")]

#[cfg(feature = "archive")]
pub mod archive;
pub mod base64;
pub mod command;
pub mod docs;
pub mod keys;
pub mod pack;
pub mod repo;
pub mod schema;
pub mod trace;

pub use base64::base64;
pub use command::TestCommand;
pub use keys::{Keys, pair, shows_part_of};
pub use repo::{TestRepo, open_at};
pub use schema::Schema;
