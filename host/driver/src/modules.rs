//! The blueprints of modules: read before types are looked up, and kept with the run.

use std::collections::BTreeMap;
use std::path::Path;

use sheave_blueprint::{ModuleSource, Syntax, module_folder};
use sheave_model::plan::BlueprintText;
use sheave_model::{SourceId, Sources, TypeName};

use crate::load::read_limited;

/// Modules that are read: more than that is a circle, or nothing that people wrote.
const MAX_MODULES: usize = 200;

/// What stands in a module's folder.
const FILE: &str = "blueprint.yaml";

/// The texts of all modules of a blueprint, by folder.
#[derive(Debug, Default)]
pub(crate) struct ModuleTexts {
    texts: BTreeMap<String, Result<(SourceId, String), String>>,
    types: Vec<TypeName>,
}

impl ModuleTexts {
    /// Reads every module that the blueprint leads to: from what is kept of an earlier run, or else from the disk.
    pub(crate) fn read(syntax: &Syntax, blueprint: &BlueprintText, sources: &mut Sources) -> Self {
        let mut found = Self::default();
        let mut todo: Vec<String> = syntax.modules().iter().map(|m| module_folder("", m)).collect();
        while let Some(folder) = todo.pop() {
            if found.texts.contains_key(&folder) || found.texts.len() >= MAX_MODULES {
                continue;
            }
            let name = format!("{folder}/{FILE}");
            let kept = blueprint.files.iter().skip(1).find(|(n, _)| *n == name).map(|(_, text)| text.clone());
            let text = match kept {
                Some(text) => Ok(text),
                None => text_of(&Path::new(&blueprint.folder).join(&name)),
            };
            let entry = text.map(|text| (sources.add(name.as_str(), text.as_str()), text));
            if let Ok((source, text)) = &entry
                && let Some(inner) = sheave_blueprint::parse(*source, text).syntax
            {
                found.types.extend(inner.type_names());
                todo.extend(inner.modules().iter().map(|m| module_folder(&folder, m)));
            }
            found.texts.insert(folder, entry);
        }
        found
    }

    /// The types that modules use.
    pub(crate) fn types(&self) -> impl Iterator<Item = TypeName> {
        self.types.iter().cloned()
    }

    /// The files of a blueprint with those of its modules.
    pub(crate) fn add_to(&self, mut files: Vec<(String, String)>) -> Vec<(String, String)> {
        files.truncate(1);
        let read = self.texts.iter().filter_map(|(folder, entry)| {
            let (_, text) = entry.as_ref().ok()?;
            Some((format!("{folder}/{FILE}"), text.clone()))
        });
        files.extend(read);
        files
    }
}

impl ModuleSource for ModuleTexts {
    fn read(&self, folder: &str) -> Result<(SourceId, String), String> {
        self.texts
            .get(folder)
            .cloned()
            .unwrap_or_else(|| Err(format!("there are more than {MAX_MODULES} modules")))
    }
}

fn text_of(path: &Path) -> Result<String, String> {
    let bytes = read_limited(path).map_err(|why| format!("`{}`: {why}", path.display()))?;
    String::from_utf8(bytes).map_err(|_| format!("`{}` is not UTF-8 text", path.display()))
}
