//! Containers in a build without the feature `archive`: they are named as not opened.

use std::ops::ControlFlow;

use super::input::Input;
use super::kind::Kind;
use super::opening::Opening;

/// Says that a container is not opened, and shows it raw.
pub(super) fn open(
    opening: &mut Opening<'_>,
    kind: Kind,
    input: &mut dyn Input,
) -> ControlFlow<()> {
    opening.refuse(kind, input)
}
