//! One schema's keywords, compiled.

use std::collections::BTreeMap;

use serde_json::Value as Json;

/// Which of JSON's types, as a set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Types(u8);

impl Types {
    pub(super) const NULL: Self = Self(1);
    pub(super) const BOOLEAN: Self = Self(2);
    pub(super) const INTEGER: Self = Self(4);
    pub(super) const NUMBER: Self = Self(8 | 4);
    pub(super) const STRING: Self = Self(16);
    pub(super) const LIST: Self = Self(32);
    pub(super) const MAP: Self = Self(64);
    pub(super) const ANY: Self = Self(127);

    pub(super) fn named(word: &str) -> Option<Self> {
        Some(match word {
            "null" => Self::NULL,
            "boolean" => Self::BOOLEAN,
            "integer" => Self::INTEGER,
            "number" => Self::NUMBER,
            "string" => Self::STRING,
            "array" => Self::LIST,
            "object" => Self::MAP,
            _ => return None,
        })
    }

    pub(super) fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(super) fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub(super) fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// `an integer`, `a string or a list`.
    pub(super) fn words(self) -> String {
        let all = [
            (Self::NUMBER, "a number"),
            (Self::INTEGER, "an integer"),
            (Self::STRING, "a string"),
            (Self::BOOLEAN, "`true` or `false`"),
            (Self::LIST, "a list"),
            (Self::MAP, "a map"),
            (Self::NULL, "nothing"),
        ];
        let mut rest = self;
        let mut words = Vec::new();
        for (kind, word) in all {
            if rest.has(kind) {
                words.push(word);
                rest = Self(rest.0 & !kind.0);
            }
        }
        match words.as_slice() {
            [] => "nothing at all".into(),
            [one] => (*one).to_owned(),
            [most @ .., last] => format!("{} or {last}", most.join(", ")),
        }
    }
}

/// What properties beside the named ones there may be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Additional {
    #[default]
    Any,
    Never,
    Like(usize),
}

/// What a schema says of leaves that are not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OnUnknown {
    Token,
    Defer,
}

/// The keywords of one schema; numbers lead to other schemas.
#[derive(Clone, Debug, Default)]
pub(super) struct Rules {
    /// The schema `false`.
    pub(super) never: bool,
    pub(super) reference: Option<usize>,
    /// None: any.
    pub(super) types: Option<Types>,
    pub(super) allowed: Option<Vec<Json>>,
    pub(super) map: Option<Box<MapRules>>,
    pub(super) list: Option<Box<ListRules>>,
    pub(super) number: Option<Box<NumberRules>>,
    pub(super) text: Option<Box<TextRules>>,
    pub(super) combine: Option<Box<CombineRules>>,
    pub(super) on_unknown: Option<OnUnknown>,
    pub(super) sensitive: bool,
    /// `x-identity`, `x-files`: what stands here must be known before anything is planned.
    pub(super) early: bool,
    pub(super) title: Option<String>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct MapRules {
    pub(super) properties: BTreeMap<String, usize>,
    pub(super) patterns: Vec<(regex::Regex, usize)>,
    pub(super) additional: Additional,
    pub(super) names: Option<usize>,
    pub(super) required: Vec<String>,
    pub(super) least: Option<usize>,
    pub(super) most: Option<usize>,
    pub(super) dependent: Vec<(String, Vec<String>)>,
    pub(super) dependent_schemas: Vec<(String, usize)>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct ListRules {
    pub(super) first: Vec<usize>,
    pub(super) items: Option<usize>,
    pub(super) least: Option<usize>,
    pub(super) most: Option<usize>,
    pub(super) unique: bool,
    pub(super) contains: Option<usize>,
    pub(super) contains_least: usize,
    pub(super) contains_most: Option<usize>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct NumberRules {
    pub(super) least: Option<Json>,
    pub(super) most: Option<Json>,
    pub(super) above: Option<Json>,
    pub(super) below: Option<Json>,
    pub(super) multiple: Option<f64>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct TextRules {
    pub(super) least: Option<usize>,
    pub(super) most: Option<usize>,
    pub(super) pattern: Option<regex::Regex>,
    pub(super) format: Option<String>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct CombineRules {
    pub(super) all: Vec<usize>,
    pub(super) any: Vec<usize>,
    pub(super) one: Vec<usize>,
    pub(super) not: Option<usize>,
    pub(super) condition: Option<usize>,
    pub(super) then: Option<usize>,
    pub(super) otherwise: Option<usize>,
}

impl Rules {
    pub(super) fn map(&mut self) -> &mut MapRules {
        self.map.get_or_insert_default()
    }

    pub(super) fn list(&mut self) -> &mut ListRules {
        self.list.get_or_insert_with(|| Box::new(ListRules { contains_least: 1, ..ListRules::default() }))
    }

    pub(super) fn number(&mut self) -> &mut NumberRules {
        self.number.get_or_insert_default()
    }

    pub(super) fn text(&mut self) -> &mut TextRules {
        self.text.get_or_insert_default()
    }

    pub(super) fn combine(&mut self) -> &mut CombineRules {
        self.combine.get_or_insert_default()
    }
}
