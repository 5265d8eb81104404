//! Columns of text, as kubectl prints them.

/// Longest cell that widens its column: one long name must not push the others off the screen.
const MAX_WIDTH: usize = 48;

/// Rows under their heads, columns two spaces apart. Cells must hold no control characters; widths count characters.
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
        for (cell, width) in row.iter().zip(&widths) {
            line.push_str(cell);
            let missing = width.saturating_sub(cell.chars().count());
            line.extend(std::iter::repeat_n(' ', missing + 2));
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
    fn one_long_cell_does_not_widen_the_column() {
        let rows = [vec!["x".repeat(MAX_WIDTH + 1), "y".into()]];
        assert!(table(&["A", "B"], &rows).starts_with("A  B\n"));
    }
}
