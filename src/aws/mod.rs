//! Facts about AWS credentials, as pure functions over text they are given.

pub mod authorization;
pub mod cloudtrail;
pub mod credential_report;
pub mod example;
pub mod iam_export;
pub mod invented;
pub mod key_id;
pub mod secret_key;
pub mod session_token;
pub mod verify;
