//! Levels: how much a finding or a rule weighs.

/// Weight of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Level {
    /// Documentation examples, emulator keys, canaries: listed on request only.
    Note,
    /// Points at a leak without being one.
    Warning,
    /// A person would rotate this.
    Error,
}

impl Level {
    /// Returns the name used in reports and options.
    pub fn name(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }

    /// Returns the level of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Note, Self::Warning, Self::Error]
            .into_iter()
            .find(|level| level.name() == name)
    }
}
