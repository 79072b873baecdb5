//! The built-in rules as constant tables, which `build/rules.rs` makes of `rules.toml`.

use std::borrow::Cow;

use super::allowlist::{Allowlist, Subject};
use super::check::Check;
use super::keyword::{Form, Keyword};
use super::{AwsRule, Kind, PairsWith, Pattern, Rule, Text, Texts};
use crate::level::Level;

include!(concat!(env!("OUT_DIR"), "/rules.rs"));
