//! The user's own folders, by the XDG base directory rules.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;

use sheave_model::Diagnostic;

/// Where Sheave keeps what belongs to the user rather than to a project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Folders {
    /// The key file.
    pub(crate) config: PathBuf,
    /// Compiled plugins.
    pub(crate) cache: PathBuf,
}

/// The folders of this process's user.
pub(crate) fn of_process() -> Result<Folders, Box<Diagnostic>> {
    let home = env::home_dir().filter(|h| h.is_absolute());
    let of = |variable: &str, under: &str| folder(env::var_os(variable), home.as_ref(), under);
    match (of("XDG_CONFIG_HOME", ".config"), of("XDG_CACHE_HOME", ".cache")) {
        (Some(config), Some(cache)) => Ok(Folders { config, cache }),
        _ => Err(Diagnostic::error(
            "cli.no-home",
            "the user has no home folder, so there is no place for keys and caches",
        )
        .with_help("set HOME, or XDG_CONFIG_HOME and XDG_CACHE_HOME, to absolute paths")
        .into()),
    }
}

/// A relative path in the variable counts as none: the rules say so, and it would mean another folder in each project.
fn folder(variable: Option<OsString>, home: Option<&PathBuf>, under: &str) -> Option<PathBuf> {
    let base = variable.map(PathBuf::from).filter(|p| p.is_absolute());
    base.or_else(|| Some(home?.join(under))).map(|b| b.join("sheave"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_variable_wins_where_it_is_absolute() {
        let home = PathBuf::from("/home/me");
        let of = |variable: Option<&str>, home: Option<&PathBuf>| {
            folder(variable.map(Into::into), home, ".config")
        };
        assert_eq!(of(Some("/etc/x"), Some(&home)), Some("/etc/x/sheave".into()));
        assert_eq!(of(Some("x"), Some(&home)), Some("/home/me/.config/sheave".into()));
        assert_eq!(of(Some(""), Some(&home)), Some("/home/me/.config/sheave".into()));
        assert_eq!(of(None, None), None);
    }
}
