//! The references that Git names to `pre-push` and `pre-receive` on standard input.

use std::fmt;

use bstr::{BString, ByteSlice as _};
use gix::ObjectId;

/// One reference that is about to be pushed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushedRef {
    /// The pushed object, as Git names it: a reference, `HEAD~2`, `(delete)`.
    pub local_ref: BString,
    /// The object that is pushed; `None` if the remote reference is deleted.
    pub local_id: Option<ObjectId>,
    /// The reference on the other side.
    pub remote_ref: BString,
    /// The object it is there now; `None` if it is new.
    pub remote_id: Option<ObjectId>,
}

/// One reference that a push wants changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceivedRef {
    /// The object it is now; `None` if it is new.
    pub old_id: Option<ObjectId>,
    /// The object it shall be; `None` if it is deleted.
    pub new_id: Option<ObjectId>,
    /// The reference.
    pub name: BString,
}

/// A line that is not what Git writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefError {
    /// 1-based.
    pub line: usize,
    /// The fault.
    pub what: &'static str,
}

impl fmt::Display for RefError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "line {} of the references on standard input: {}",
            self.line, self.what
        )
    }
}

impl std::error::Error for RefError {}

/// Reads what Git gives to `pre-push`: `<local ref> <local id> <remote ref> <remote id>` on each line.
pub fn parse_pushed(input: &[u8]) -> Result<Vec<PushedRef>, RefError> {
    parse(input, |line| {
        // The local side is written as the user wrote it, which may hold spaces: read from the right.
        let mut parts = line.rsplitn(4, |byte| *byte == b' ');
        let (Some(remote_id), Some(remote_ref), Some(local_id), Some(local_ref)) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err("expected four parts");
        };
        Ok(PushedRef {
            local_ref: name(local_ref)?,
            local_id: id(local_id)?,
            remote_ref: name(remote_ref)?,
            remote_id: id(remote_id)?,
        })
    })
}

/// Reads what Git gives to `pre-receive`: `<old id> <new id> <ref>` on each line.
pub fn parse_received(input: &[u8]) -> Result<Vec<ReceivedRef>, RefError> {
    parse(input, |line| {
        let mut parts = line.splitn(3, |byte| *byte == b' ');
        let (Some(old_id), Some(new_id), Some(reference)) =
            (parts.next(), parts.next(), parts.next())
        else {
            return Err("expected three parts");
        };
        if reference.contains(&b' ') {
            return Err("expected three parts");
        }
        Ok(ReceivedRef {
            old_id: id(old_id)?,
            new_id: id(new_id)?,
            name: name(reference)?,
        })
    })
}

fn parse<T>(
    input: &[u8],
    one: impl Fn(&[u8]) -> Result<T, &'static str>,
) -> Result<Vec<T>, RefError> {
    input
        .lines()
        .enumerate()
        .map(|(at, line)| one(line).map_err(|what| RefError { line: at + 1, what }))
        .collect()
}

fn name(bytes: &[u8]) -> Result<BString, &'static str> {
    if bytes.is_empty() {
        return Err("a name is empty");
    }
    if bytes.iter().any(u8::is_ascii_control) {
        return Err("a name holds control characters");
    }
    Ok(bytes.into())
}

/// An object id; that of zeros means that there is no object.
fn id(bytes: &[u8]) -> Result<Option<ObjectId>, &'static str> {
    match ObjectId::from_hex(bytes) {
        Ok(id) => Ok((!id.is_null()).then_some(id)),
        Err(_) => Err("an object id is not one"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_git_writes_is_read() {
        let (one, zero) = ("1".repeat(40), "0".repeat(40));
        let input = format!(
            "refs/heads/main {one} refs/heads/main {zero}\nHEAD^{{/fix it}} {one} refs/heads/x {one}\n(delete) {zero} refs/heads/old {one}\n"
        );
        let pushed = parse_pushed(input.as_bytes()).expect("references");
        assert_eq!(pushed.len(), 3);
        assert_eq!(pushed[0].remote_id, None);
        assert_eq!(pushed[1].local_ref, "HEAD^{/fix it}");
        assert_eq!(
            (&pushed[2].local_id, pushed[2].remote_id.is_some()),
            (&None, true)
        );
        let long = "a".repeat(64);
        let input = format!("{long} {} refs/heads/main", "0".repeat(64));
        let received = parse_received(input.as_bytes()).expect("references");
        assert_eq!(received[0].name, "refs/heads/main");
        assert_eq!(received[0].new_id, None);
        assert_eq!(parse_pushed(b""), Ok(Vec::new()));
    }

    #[test]
    fn what_git_does_not_write_is_an_error_with_its_line() {
        let one = "1".repeat(40);
        for bad in [
            "refs/heads/main".to_owned(),
            format!("refs/heads/main {one} refs/heads/main"),
            format!("a {one} b 12"),
            format!(" {one} b {one}"),
            format!("a\x1b {one} b {one}"),
            String::new(),
        ] {
            let input = format!("a {one} b {one}\n{bad}\n");
            assert_eq!(
                parse_pushed(input.as_bytes()).map_err(|error| error.line),
                Err(2)
            );
        }
        for bad in [
            format!("{one} {one}"),
            format!("{one} {one} a b"),
            format!("{one} x a"),
        ] {
            assert!(parse_received(bad.as_bytes()).is_err());
        }
    }
}
