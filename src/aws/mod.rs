//! Facts about AWS credentials, as pure functions over text they are given.
