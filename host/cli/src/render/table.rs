//! Columns of text, as kubectl prints them.

/// Longest cell that widens its column: one long name must not push the others off the screen.
const MAX_WIDTH: usize = 48;

/// Rows under their heads, columns two spaces apart. Cells must hold no control characters; widths count characters. What
/// stands behind a cell that is longer goes into a line of its own, in its columns.
pub(crate) fn table(heads: &[&str], rows: &[Vec<String>]) -> String {
    let width = |i: usize| {
        let cells = rows.iter().filter_map(|r| r.get(i)).map(|c| c.chars().count());
        cells.filter(|n| *n <= MAX_WIDTH).chain(heads.get(i).map(|h| h.len())).max().unwrap_or(0)
    };
    let widths: Vec<_> = (0..heads.len()).map(width).collect();
    let heads: Vec<_> = heads.iter().map(|h| (*h).to_owned()).collect();
    let mut out = String::new();
    for row in std::iter::once(&heads).chain(rows) {
        let mut line = String::new();
        let mut end = 0;
        for (i, (cell, width)) in row.iter().zip(&widths).enumerate() {
            line.push_str(cell);
            end += width + 2;
            if cell.chars().count() > *width && row[i + 1..].iter().any(|c| !c.is_empty()) {
                out.push_str(&line);
                out.push('\n');
                line = " ".repeat(end);
            } else {
                let missing = width.saturating_sub(cell.chars().count());
                line.extend(std::iter::repeat_n(' ', missing + 2));
            }
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let rows =
            [vec!["a".into(), "größer".into(), "x".into()], vec!["bcd".into(), String::new(), "y".into()]];
        assert_eq!(table(&["N", "SIZE", "Z"], &rows), "N    SIZE    Z\na    größer  x\nbcd          y\n");
    }

    #[test]
    fn one_long_cell_does_not_move_the_columns() {
        let long = "x".repeat(MAX_WIDTH + 1);
        let rows = [
            vec![long.clone(), String::new(), "y".into()],
            vec!["ab".into(), long.clone(), String::new()],
            vec!["ab".into(), "c".into(), long.clone()],
        ];
        let expected = format!("A   B  C\n{long}\n       y\nab  {long}\nab  c  {long}\n");
        assert_eq!(table(&["A", "B", "C"], &rows), expected);
    }
}
