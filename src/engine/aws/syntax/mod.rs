//! Structure of a text, as far as its notation shows it: containers, places in them, names.
//!
//! One forward pass makes tokens ([`lexer`]), a second one containers and nodes ([`tree`]). No language is parsed: what
//! is common to all of them is read, and whatever does not fit is passed over. So a piece cut out of a file, two
//! languages in one, and broken syntax give a tree like anything else.

pub(super) mod lexer;
pub(super) mod tree;
