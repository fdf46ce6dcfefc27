//! Payment providers behind the port [`domain::ports::Payments`].
