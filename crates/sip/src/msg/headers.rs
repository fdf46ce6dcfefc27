//! The list of header fields of a message.

use bytes::Bytes;

use super::HeaderName;

/// One header field; the value is unfolded and trimmed but otherwise as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The name.
    pub name: HeaderName,
    /// The value's octets.
    pub value: Bytes,
}

/// Header fields in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers(Vec<Header>);

impl Headers {
    /// The value of the first field of this name.
    #[must_use]
    pub fn get(&self, name: &HeaderName) -> Option<&Bytes> {
        self.0
            .iter()
            .find(|header| header.name == *name)
            .map(|header| &header.value)
    }

    /// The values of all fields of this name.
    pub fn all<'a>(&'a self, name: &'a HeaderName) -> impl Iterator<Item = &'a Bytes> {
        self.0
            .iter()
            .filter(move |header| header.name == *name)
            .map(|header| &header.value)
    }

    /// How many fields have this name.
    #[must_use]
    pub fn count(&self, name: &HeaderName) -> usize {
        self.all(name).count()
    }

    /// Appends a field.
    pub fn push(&mut self, name: HeaderName, value: impl Into<Bytes>) {
        self.0.push(Header {
            name,
            value: value.into(),
        });
    }

    /// Puts a field before all others.
    pub fn push_front(&mut self, name: HeaderName, value: impl Into<Bytes>) {
        self.0.insert(
            0,
            Header {
                name,
                value: value.into(),
            },
        );
    }

    /// Replaces the first field of this name, or appends it; further ones of the name go away.
    pub fn set(&mut self, name: HeaderName, value: impl Into<Bytes>) {
        let value = value.into();
        let Some(at) = self.0.iter().position(|header| header.name == name) else {
            self.push(name, value);
            return;
        };
        self.0[at].value = value;
        let mut seen = false;
        self.0
            .retain(|header| header.name != name || !std::mem::replace(&mut seen, true));
    }

    /// Replaces the value of the first field of this name only; true when there was one.
    pub fn replace_first(&mut self, name: &HeaderName, value: impl Into<Bytes>) -> bool {
        let found = self.0.iter_mut().find(|header| header.name == *name);
        found.is_some_and(|header| {
            header.value = value.into();
            true
        })
    }

    /// Removes all fields of this name.
    pub fn remove(&mut self, name: &HeaderName) {
        self.0.retain(|header| header.name != *name);
    }

    /// The fields in their order.
    pub fn iter(&self) -> impl Iterator<Item = &Header> {
        self.0.iter()
    }

    /// How many fields there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// True without any field.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<Header> for Headers {
    fn from_iter<T: IntoIterator<Item = Header>>(fields: T) -> Self {
        Headers(fields.into_iter().collect())
    }
}
