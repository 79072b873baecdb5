//! CloudTrail: the key IDs in a log's text, its records, and which credentials descend from a key.
//!
//! All of it works on text that is already inflated; [`crate::evidence`] reads the files. Field names are those of the
//! [record contents reference](https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html).

pub mod event;
pub mod json;
pub mod key;
pub mod lineage;
pub mod record;

pub use event::{Event, Field};
pub use key::{GivenSearcher, Hit, KeySearcher, LogKeyId};
pub use lineage::{Lineage, Relation};
