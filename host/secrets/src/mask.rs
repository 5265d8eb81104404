//! Takes known secrets out of texts: what goes back to a plugin, into an event, a log or an error.

use std::fmt;
use std::sync::Arc;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use serde_json::Value as Json;
use sheave_model::SecretText;

use crate::decode::Layer;
use crate::patterns::{Pattern, Patterns};

/// What stands in a secret's place.
pub const SENSITIVE: &str = "(sensitive)";

/// How much of a pattern the automaton looks for; the rest is compared where that is found. Bounds its memory for
/// secrets that are whole files, and masks the beginning of one that a server cut off.
const ANCHOR: usize = 48;
/// Bytes that may be compared beyond the anchors, for each byte of the text. Only a text made of one secret's own
/// repetitions comes near; it is masked as a whole then.
const COMPARED_PER_BYTE: usize = 64;

/// Secrets of one automaton for each that comes new, at which it is built again with those. Each secret is then built in a few times
/// for every fourfold of their number, where one automaton would be built as often as there are secrets.
const TIER_RATIO: usize = 4;

/// How many escapes may lie on each other: JSON in JSON, a URL in JSON, JSON in a URL.
const LEVELS: u8 = 2;

/// Finds secrets in texts: raw, in base64 at any offset (either alphabet, in lines, within another base64), with URL or
/// JSON escapes (twice, or one in the other), and with other white space. Cheap to clone.
///
/// Secrets of less than four bytes are masked only where they stand as a word of their own. A secret that somebody
/// transformed in another way (reversed, digested, upper-cased) is not found.
#[derive(Clone, Default)]
pub struct Mask {
    /// Each has more than [`TIER_RATIO`] times the secrets of the next.
    tiers: Vec<Arc<Finder>>,
}

/// Looks for some of the secrets.
struct Finder {
    secrets: Vec<SecretText>,
    /// None: it could not be built, and everything is masked.
    automaton: Option<AhoCorasick>,
    patterns: Vec<Pattern>,
}

impl Mask {
    /// A mask for these secrets; empty ones are left out.
    pub fn new(secrets: impl IntoIterator<Item = SecretText>) -> Self {
        Self::default().with(secrets)
    }

    /// A mask for these secrets, too. Secrets that become known one by one cost little more than all of them at once.
    #[must_use]
    pub fn with(&self, secrets: impl IntoIterator<Item = SecretText>) -> Self {
        let mut secrets: Vec<SecretText> = secrets.into_iter().filter(|s| !s.expose().is_empty()).collect();
        if secrets.is_empty() {
            return self.clone();
        }
        let mut tiers = self.tiers.clone();
        while let Some(last) = tiers.pop_if(|last| last.secrets.len() <= secrets.len() * TIER_RATIO) {
            secrets.extend(last.secrets.iter().cloned());
        }
        tiers.push(Arc::new(Finder::new(secrets)));
        Self { tiers }
    }

    /// Whether it masks nothing.
    pub fn is_empty(&self) -> bool {
        self.tiers.is_empty()
    }

    /// The text with [`SENSITIVE`] in place of every secret.
    pub fn text(&self, text: &str) -> String {
        if self.is_empty() {
            return text.to_owned();
        }
        match self.places(text) {
            None => SENSITIVE.to_owned(),
            Some(places) => replace(text, places),
        }
    }

    /// Where secrets stand in `text`, in no order, overlapping. None: everything is to be masked.
    fn places(&self, text: &str) -> Option<Vec<(usize, usize)>> {
        // Layers count in 32 bits; nothing that long is passed on.
        u32::try_from(text.len()).ok()?;
        let mut search = Search { finders: &self.tiers, places: Vec::new() };
        search.look(text.as_bytes(), &Below::Original, LEVELS)?;
        Some(search.places)
    }

    /// Masks every text in `json`, keys included. A number with a secret in it becomes a text.
    pub fn json(&self, json: &mut Json) {
        if self.is_empty() {
            return;
        }
        match json {
            Json::String(text) => *text = self.text(text),
            Json::Number(number) => {
                let text = number.to_string();
                let masked = self.text(&text);
                if masked != text {
                    *json = Json::String(masked);
                }
            }
            Json::Array(list) => list.iter_mut().for_each(|item| self.json(item)),
            Json::Object(map) => {
                let fields = std::mem::take(map);
                for (name, mut item) in fields {
                    self.json(&mut item);
                    let mut masked = self.text(&name);
                    while map.contains_key(&masked) {
                        masked.push('_');
                    }
                    map.insert(masked, item);
                }
            }
            Json::Null | Json::Bool(_) => {}
        }
    }
}

impl fmt::Debug for Mask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mask(..)")
    }
}

impl Finder {
    fn new(secrets: Vec<SecretText>) -> Self {
        let mut patterns = Patterns::default();
        for secret in &secrets {
            patterns.add_secret(secret.expose());
        }
        let patterns = patterns.list;
        let automaton = AhoCorasick::builder()
            .match_kind(MatchKind::Standard)
            .kind(Some(AhoCorasickKind::ContiguousNFA))
            .build(patterns.iter().map(|p| &p.text[..p.text.len().min(ANCHOR)]))
            .ok();
        Self { secrets, automaton, patterns }
    }
}

/// The layers under the one that is looked at.
enum Below<'a> {
    Original,
    Layer(&'a Layer, &'a Below<'a>),
}

impl Below<'_> {
    /// Where `start..end` of the layer that is looked at stands in the original.
    fn origin(&self, start: usize, end: usize) -> Option<(usize, usize)> {
        match self {
            Self::Original => Some((start, end)),
            Self::Layer(layer, below) => {
                let (start, end) = layer.origin(start, end)?;
                below.origin(start, end)
            }
        }
    }
}

struct Search<'a> {
    finders: &'a [Arc<Finder>],
    places: Vec<(usize, usize)>,
}

impl Search<'_> {
    /// Looks at a text, and at what it says with its escapes undone, `levels` deep. None: it would take too long.
    fn look(&mut self, bytes: &[u8], below: &Below<'_>, levels: u8) -> Option<()> {
        self.find(bytes, below)?;
        if let Some(layer) = Layer::without_space(bytes) {
            self.find(&layer.bytes, &Below::Layer(&layer, below))?;
        }
        if levels > 0 {
            for undo in [Layer::without_backslashes, Layer::without_percents] {
                if let Some(layer) = undo(bytes) {
                    self.look(&layer.bytes, &Below::Layer(&layer, below), levels - 1)?;
                }
            }
        }
        Some(())
    }

    fn find(&mut self, bytes: &[u8], below: &Below<'_>) -> Option<()> {
        self.finders.iter().try_for_each(|finder| self.find_with(finder, bytes, below))
    }

    fn find_with(&mut self, finder: &Finder, bytes: &[u8], below: &Below<'_>) -> Option<()> {
        let mut budget = bytes.len().saturating_mul(COMPARED_PER_BYTE);
        for found in finder.automaton.as_ref()?.find_overlapping_iter(bytes) {
            let pattern = finder.patterns.get(found.pattern().as_usize())?;
            let rest = pattern.text.get(ANCHOR..).unwrap_or_default();
            let agrees = rest.iter().zip(&bytes[found.end()..]).take_while(|(a, b)| a == b).count();
            budget = budget.checked_sub(agrees)?;
            let (mut start, mut end) = (found.start(), found.end() + agrees);
            if pattern.word && !is_word(bytes, start, end) {
                continue;
            }
            let is_base64 = |at: usize| bytes.get(at).is_some_and(|b| is_base64(*b));
            if pattern.before && start > 0 && is_base64(start - 1) {
                start -= 1;
            }
            if pattern.after && agrees == rest.len() && is_base64(end) {
                end += 1;
                end += bytes[end..].iter().take(2).take_while(|b| **b == b'=').count();
            }
            // A place inside the last one adds nothing; this keeps the list short in repetitive texts.
            if let Some(place) = below.origin(start, end)
                && !self.places.last().is_some_and(|last| last.0 <= place.0 && place.1 <= last.1)
            {
                self.places.push(place);
            }
        }
        Some(())
    }
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_')
}

fn is_word(bytes: &[u8], start: usize, end: usize) -> bool {
    let joins = |b: &u8| b.is_ascii_alphanumeric() || !b.is_ascii();
    let before = start.checked_sub(1).and_then(|at| bytes.get(at));
    !before.is_some_and(joins) && !bytes.get(end).is_some_and(joins)
}

fn replace(text: &str, mut places: Vec<(usize, usize)>) -> String {
    places.sort_unstable();
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    let mut places = places.into_iter().peekable();
    while let Some((start, mut end)) = places.next() {
        while let Some((_, further)) = places.next_if(|(next, _)| *next <= end) {
            end = end.max(further);
        }
        let start = text.floor_char_boundary(start);
        out.push_str(text.get(done..start).unwrap_or_default());
        out.push_str(SENSITIVE);
        done = text.ceil_char_boundary(end);
    }
    out.push_str(text.get(done..).unwrap_or_default());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_that_come_one_by_one_are_built_in_a_few_times_each() {
        let all = 2_000;
        let (mut mask, mut built) = (Mask::default(), 0);
        for i in 0..all {
            mask = mask.with([SecretText::new(format!("secret-{i}"))]);
            built += mask.tiers.last().unwrap().secrets.len();
        }
        let sizes: Vec<usize> = mask.tiers.iter().map(|t| t.secrets.len()).collect();
        assert_eq!(sizes.iter().sum::<usize>(), all);
        assert!(sizes.windows(2).all(|two| two[0] > two[1] * TIER_RATIO), "{sizes:?}");
        // One automaton would have been built of a thousand each time.
        assert!(built < 30 * all, "{}", built / all);
    }
}
