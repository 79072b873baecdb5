//! Reports about leaked keys, for people and for programs.
//!
//! All forms show the same [`View`]; each escapes its text in its own way. Names of users, agents and addresses may
//! have been chosen by a thief.

mod html;
mod json;
mod markdown;
mod text;
mod view;

pub use html::write as write_html;
pub use json::write as write_json;
pub use markdown::write as write_markdown;
pub use text::write as write_text;
pub use view::View;
