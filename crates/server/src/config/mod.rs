//! Configuration in two stages: as typed (a TOML file, then the environment, then flags, the
//! later over the earlier), then checked and derived into one [`Config`].
//!
//! [`settings::SETTINGS`] is the list of all there is: names, kinds, defaults and documentation
//! come from it, and `docs/configuration.md` is held against it by a test.

mod checked;
mod layers;
mod nearest;
pub(crate) mod settings;

pub(crate) use checked::{Config, Rates, StoreUrl};
pub(crate) use layers::{Layers, Source, WrongFlag};
pub(crate) use nearest::nearest;
