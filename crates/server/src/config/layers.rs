//! The first stage: what was typed, where, and which layer wins.

use std::{collections::BTreeMap, fmt, path::Path};

use anyhow::{Context as _, Result, anyhow, bail};
use toml::de::{DeTable, DeValue};

use super::{
    nearest::nearest,
    settings::{Kind, OTHER_VARIABLES, SETTINGS, Setting},
};

/// Where a value was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// Nowhere: the default.
    Default,
    /// A file and its line, from 1.
    File(String, usize),
    /// An environment variable.
    Variable(String),
    /// A flag.
    Flag(String),
}

/// A flag was wrong, as a wrong command line is.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct WrongFlag(String);

impl Source {
    /// What was typed here is wrong: a [`WrongFlag`] where that was one.
    pub(crate) fn refuse<T>(&self, why: impl fmt::Display) -> Result<T> {
        let text = format!("{self}: {why}");
        match self {
            Self::Flag(_) => Err(WrongFlag(text).into()),
            _ => bail!(text),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(file, line) => write!(f, "{file}:{line}"),
            Self::Variable(name) => f.write_str(name),
            Self::Flag(name) => write!(f, "--{name}"),
        }
    }
}

/// One value as typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Typed {
    /// One text, or those of a list.
    pub(crate) values: Vec<String>,
    /// Where.
    pub(crate) source: Source,
}

/// What was typed, the later layer over the earlier.
#[derive(Clone, Debug, Default)]
pub(crate) struct Layers(BTreeMap<&'static str, Typed>);

impl Layers {
    /// What a setting has, by its own layer or by default.
    pub(crate) fn get(&self, name: &'static str) -> Typed {
        self.0.get(name).cloned().unwrap_or_else(|| {
            let default = Setting::named(name).map_or("", |setting| setting.default);
            Typed { values: split(default), source: Source::Default }
        })
    }

    /// Lays a TOML file over what is there.
    ///
    /// # Errors
    /// The first wrong line: file, line, and what was expected.
    pub(crate) fn file(&mut self, path: &Path) -> Result<()> {
        let name = path.display().to_string();
        let text =
            std::fs::read_to_string(path).with_context(|| format!("{name}: can't be read"))?;
        let line = |at: usize| text[..at.min(text.len())].matches('\n').count() + 1;
        let table = DeTable::parse(&text).map_err(|error| {
            let at = error.span().map_or(1, |span| line(span.start));
            anyhow!("{name}:{at}: {}", error.message())
        })?;
        let mut entries: Vec<_> = table.get_ref().iter().collect();
        entries.sort_by_key(|(key, _)| key.span().start);
        for (key, value) in entries {
            let at = line(key.span().start);
            let setting = known(key.get_ref()).map_err(|why| anyhow!("{name}:{at}: {why}"))?;
            let Some(values) = values(value.get_ref(), setting.kind) else {
                bail!("{name}:{at}: {}: expected {}", setting.name, expected(setting.kind));
            };
            self.0.insert(setting.name, Typed { values, source: Source::File(name.clone(), at) });
        }
        Ok(())
    }

    /// Lays the environment over what is there; the names of unknown `WAYPOST_*` variables, each
    /// with the nearest known one, are the answer.
    pub(crate) fn environment(
        &mut self,
        variables: impl Iterator<Item = (String, String)>,
    ) -> Vec<String> {
        let mut unknown = Vec::new();
        for (name, value) in variables.filter(|(name, _)| name.starts_with("WAYPOST_")) {
            match SETTINGS.iter().find(|setting| setting.variable() == name) {
                Some(setting) => self.set(setting, value, Source::Variable(name)),
                None if OTHER_VARIABLES.contains(&name.as_str()) => {}
                None => unknown.push(unknown_variable(&name)),
            }
        }
        unknown
    }

    /// Lays a flag over what is there.
    pub(crate) fn flag(&mut self, name: &'static str, values: Vec<String>) {
        let source = Source::Flag(name.replace('_', "-"));
        self.0.insert(name, Typed { values, source });
    }

    fn set(&mut self, setting: &'static Setting, value: String, source: Source) {
        let values = if setting.kind == Kind::List { split(&value) } else { vec![value] };
        self.0.insert(setting.name, Typed { values, source });
    }
}

fn split(list: &str) -> Vec<String> {
    list.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect()
}

fn known(name: &str) -> Result<&'static Setting, String> {
    let unknown = || match nearest(name, SETTINGS.iter().map(|setting| setting.name)) {
        Some(near) => format!("unknown setting {name:?}; did you mean {near:?}?"),
        None => format!("unknown setting {name:?}"),
    };
    Setting::named(name).ok_or_else(unknown)
}

fn unknown_variable(name: &str) -> String {
    let variables: Vec<_> = SETTINGS.iter().map(Setting::variable).collect();
    match nearest(name, variables.iter().map(String::as_str)) {
        Some(near) => format!("unknown variable {name}; did you mean {near}?"),
        None => format!("unknown variable {name}"),
    }
}

fn expected(kind: Kind) -> &'static str {
    match kind {
        Kind::Switch => "true or false",
        Kind::Number => "a whole number",
        Kind::Bytes => "a number of bytes, such as 1048576 or \"1MiB\"",
        Kind::Text => "a text in quotes",
        Kind::List => "a list of texts, such as [\"a\", \"b\"]",
    }
}

fn values(value: &DeValue<'_>, kind: Kind) -> Option<Vec<String>> {
    match (value, kind) {
        (DeValue::String(text), Kind::List) => Some(split(text)),
        (DeValue::String(text), Kind::Text | Kind::Bytes) => Some(vec![text.to_string()]),
        (DeValue::Integer(number), Kind::Number | Kind::Bytes) => Some(vec![number.to_string()]),
        (DeValue::Boolean(on), Kind::Switch) => Some(vec![on.to_string()]),
        (DeValue::Array(items), Kind::List) => items
            .iter()
            .map(|item| match item.get_ref() {
                DeValue::String(text) => Some(text.to_string()),
                _ => None,
            })
            .collect(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Layers> {
        let dir = tempfile::tempdir()?;
        let path = dir.path().join("waypost.toml");
        std::fs::write(&path, text)?;
        let mut layers = Layers::default();
        layers.file(&path)?;
        Ok(layers)
    }

    #[test]
    fn a_wrong_file_says_where_and_what_was_expected() {
        for (text, said) in [
            (
                "data = \"x\"\nlisten_adr = \"y\"\n",
                "toml:2: unknown setting \"listen_adr\"; did you mean \"listen\"?",
            ),
            ("workers = \"two\"", "toml:1: workers: expected a whole number"),
            ("\nstrict_hosts = 1", "toml:2: strict_hosts: expected true or false"),
            ("listen = [1]", "toml:1: listen: expected a list of texts"),
            ("data = \n", "toml:1: "),
            ("[section]\nx = 1", "unknown setting \"section\""),
        ] {
            let error = format!("{:#}", read(text).unwrap_err());
            assert!(error.contains(said), "{text:?} said {error:?}");
        }
    }

    #[test]
    fn flags_win_over_variables_over_the_file() {
        let mut layers = read("data = \"file\"\nlisten = [\"a\", \"b\"]\nworkers = 2").unwrap();
        let variables =
            [("WAYPOST_DATA", "env"), ("WAYPOST_LISTEN", "c, d"), ("WAYPOST_LISTN", "")];
        let unknown =
            layers.environment(variables.map(|(k, v)| (k.to_owned(), v.to_owned())).into_iter());
        layers.flag("data", vec!["flag".to_owned()]);
        assert_eq!(layers.get("data").values, ["flag"]);
        assert_eq!(layers.get("listen").values, ["c", "d"]);
        assert_eq!(layers.get("workers").values, ["2"]);
        assert_eq!(layers.get("backlog").values, ["4096"]);
        assert_eq!(unknown, ["unknown variable WAYPOST_LISTN; did you mean WAYPOST_LISTEN?"]);
    }
}
