//! What a handler's parameters ask of the client.

/// What the client has to collect for a command before it sends it.
///
/// Each parameter says what it needs ([`FromInvocation::NEEDS`](crate::FromInvocation::NEEDS)), and a handler needs
/// what all its parameters need together. What nobody needs is neither read nor sent.
///
/// ```
/// use daemon_rpc::{FromInvocation, Needs, params::Stdout};
///
/// const NEEDS: Needs = Needs::NOTHING.and(<String as FromInvocation>::NEEDS).and(Stdout::NEEDS);
/// assert_eq!(NEEDS, Needs::TEXT);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    text: bool,
}

impl Needs {
    /// Nothing: the client doesn't even look at its standard input.
    pub const NOTHING: Self = Self { text: false };

    /// All of standard input, which must be UTF-8.
    pub const TEXT: Self = Self { text: true };

    /// What either of the two needs.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self { text: self.text | other.text }
    }

    pub(crate) fn text(self) -> bool {
        self.text
    }
}
