//! What a repository ever held: every object, who brought it in, and what a range of commits adds.

pub mod provenance;
pub mod range;
pub mod revision;
pub mod select;
