//! The AWS stage: from literal hits to key IDs joined with their secrets.
//!
//! A decoded view becomes a tree ([`syntax`]), its values get names ([`name`], [`label`]) and become candidates
//! ([`candidate`]); reasons for and against each pair ([`evidence`]) go into one assignment ([`assign`], [`join`]).

mod assign;
mod candidate;
mod context;
pub(super) mod credentials;
mod evidence;
mod join;
mod label;
mod name;
mod syntax;
