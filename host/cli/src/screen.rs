//! A text on a terminal that is drawn again in its place.

use console::{Term, measure_text_width, truncate_str};

use crate::out::Out;

/// Up over what was drawn, and everything from there on erased.
const ERASE: &str = "\u{1b}[J";

/// The last drawing.
pub(crate) struct Screen {
    term: Term,
    drawn: String,
    lines: usize,
}

impl Screen {
    /// This process's terminal.
    pub(crate) fn of_process() -> Self {
        Self { term: Term::stdout(), drawn: String::new(), lines: 0 }
    }

    /// Draws `text` where the last one stood. Nothing is written where it is the same.
    pub(crate) fn draw(&mut self, text: &str, out: &mut Out) {
        let (height, width) = self.term.size();
        let text = fitted(text, usize::from(height), usize::from(width));
        if text == self.drawn {
            return;
        }
        let up = match self.lines {
            0 => String::new(),
            n => format!("\u{1b}[{n}A\r{ERASE}"),
        };
        out.text(&format!("{up}{text}"));
        self.lines = text.lines().count();
        self.drawn = text;
    }
}

/// `text` cut to what the terminal shows: what scrolled away could not be drawn over.
fn fitted(text: &str, height: usize, width: usize) -> String {
    let room = height.saturating_sub(1).max(1);
    let all = text.lines().count();
    let shown = if all > room { room.saturating_sub(1) } else { all };
    let mut out = String::new();
    for line in text.lines().take(shown) {
        match measure_text_width(line) > width {
            true => out.push_str(&truncate_str(line, width, "…")),
            false => out.push_str(line),
        }
        out.push('\n');
    }
    if shown < all {
        out.push_str(&format!("… {} more lines; `sheave status` shows all\n", all - shown));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_cut() {
        assert_eq!(fitted("one\ntwo\n", 24, 80), "one\ntwo\n");
        assert_eq!(fitted("12345\n\u{1b}[1m12345\u{1b}[0m\n", 24, 4), "123…\n\u{1b}[1m123…\u{1b}[0m\n");
        assert_eq!(fitted("1\n2\n3\n4\n", 4, 80), "1\n2\n… 2 more lines; `sheave status` shows all\n");
    }

    #[test]
    fn the_same_is_not_drawn_twice_and_another_in_its_place() {
        use std::cell::RefCell;
        use std::rc::Rc;
        struct Kept(Rc<RefCell<Vec<u8>>>);
        impl std::io::Write for Kept {
            fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
                self.0.borrow_mut().write(bytes)
            }
            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }
        let kept = Rc::new(RefCell::new(Vec::new()));
        let mut out = Out::to(Kept(kept.clone()));
        let mut screen = Screen::of_process();
        for text in ["a\nb\n", "a\nb\n", "c\n"] {
            screen.draw(text, &mut out);
        }
        assert_eq!(String::from_utf8(kept.borrow().clone()).unwrap(), "a\nb\n\u{1b}[2A\r\u{1b}[Jc\n");
    }
}
