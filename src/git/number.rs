//! Numbers that name things. Each kind has a type of its own, so that one cannot be taken for another; all have 32
//! bits, since there are many of each.

/// A number of one kind.
pub(crate) trait Number: Copy {
    /// The thing with that number.
    fn new(number: u32) -> Self;

    /// Its number.
    fn get(self) -> u32;

    /// The thing at that place of a list, which has less than 2^32.
    fn at(index: usize) -> Self {
        Self::new(index as u32)
    }

    /// Its place in a list.
    fn index(self) -> usize {
        self.get() as usize
    }

    /// All up to a number, in order.
    fn up_to(count: u32) -> impl DoubleEndedIterator<Item = Self> + ExactSizeIterator {
        (0..count).map(Self::new)
    }
}

macro_rules! numbers {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub(crate) struct $name(u32);

        impl $name {
            /// The thing with that number, as a constant.
            #[allow(dead_code, reason = "not every kind has constants")]
            pub(crate) const fn number(number: u32) -> Self {
                Self(number)
            }
        }

        impl Number for $name {
            fn new(number: u32) -> Self {
                Self(number)
            }

            fn get(self) -> u32 {
                self.0
            }
        }
    )*};
}

numbers! {
    /// An object among those of all stores: store by store, within a store in the order of ids.
    ObjectNo
    /// A position in the index of one pack, which is in the order of ids.
    PackPos
    /// An entry of one pack, in the order of offsets.
    EntryNo
    /// A commit, in the order of ids.
    CommitNo
    /// A tree cut down to what leads to something sought; alike trees are one node.
    NodeNo
    /// A list of the entries of a tree that lead to something sought.
    ListNo
    /// A name of entries of trees.
    NameNo
    /// One of the objects that a caller asks about.
    SoughtNo
}
