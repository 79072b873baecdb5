//! Rules: as a person writes them ([`file`]), then in the form the engine uses ([`RuleSet`]).

pub mod file;

use regex::bytes::Regex;

use crate::finding::Level;

/// Compiled rules, built-in and the user's, in the order of their ids.
#[derive(Debug)]
pub struct RuleSet {
    /// The rules; a `RuleIndex` counts into this.
    pub rules: Vec<Rule>,
    /// First 16 hex digits of SHA-256 over everything that can change a result.
    pub hash: String,
}

/// One compiled rule.
#[derive(Debug)]
pub struct Rule {
    /// A stable name such as `aws-secret-access-key`, never reused.
    pub id: String,
    /// What was found and what its holder could do.
    pub description: String,
    /// One line of what to do.
    pub advice: String,
    /// How much a full match weighs.
    pub level: Level,
    /// Literals of which any match contains at least one. Bytes, case-sensitive.
    pub keywords: Vec<Vec<u8>>,
    /// What decides, on a window around a keyword.
    pub regex: Regex,
    /// Index of the group named `secret` in `regex`; 0 if the whole match is the secret.
    pub secret_group: usize,
    /// Index of the group named `key_id`, the public half, if the regex has one.
    pub key_id_group: Option<usize>,
}
