//! What the end-to-end tests share: a scene of their own for each, and programs whose handlers do as they are told.

pub mod arguments;
pub mod noted;
pub mod scene;
pub mod script;
pub mod soak;
pub mod supervisor;
pub mod terminal;
