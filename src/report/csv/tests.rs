//! CSV as programs write it.

use super::super::names::{Role, RowKind};
use super::*;
use proptest::prelude::*;

type Rows = Vec<(u32, Result<(String, String), Flaw>)>;

/// The line, the unique id and the status of each row, where the input arrives in pieces.
fn read(text: &[u8], piece: usize) -> Result<Rows, String> {
    read_by(text, piece, true)
}

/// The same with or without the reader of plain rows.
fn read_by(text: &[u8], piece: usize, has_plain: bool) -> Result<Rows, String> {
    let names = Names::of(RowKind::Orders, "simple").unwrap();
    let mut csv = Csv::new(0);
    let mut fields = Fields::default();
    let mut rows = Vec::new();
    let mut input = Vec::new();
    let mut at = 0;
    for end in (0..text.len())
        .step_by(piece)
        .map(|from| (from + piece).min(text.len()))
        .chain([text.len()])
    {
        let is_last = end == text.len() && input.len() == end;
        input = text[..end].to_vec();
        loop {
            let plain = has_plain.then(|| csv.next_plain(&input, at, &mut fields));
            let pull = match plain.flatten() {
                Some(after) => Pull::Row(after),
                None => csv.next(&input, at, is_last, &names, &mut fields),
            };
            match pull {
                Pull::Row(after) => {
                    let text =
                        |role| String::from_utf8_lossy(fields.text(role, &input)).into_owned();
                    rows.push((
                        csv.row_line(),
                        Ok((text(Role::UniqueId), text(Role::Status))),
                    ));
                    at = after;
                }
                Pull::Bad(flaw, after) => {
                    rows.push((csv.row_line(), Err(flaw)));
                    at = after;
                }
                Pull::More(after) => {
                    at = after;
                    break;
                }
                Pull::Refuse(rule) => return Err(rule),
            }
        }
    }
    assert_eq!(at, text.len());
    Ok(rows)
}

#[expect(clippy::unnecessary_wraps, reason = "as the reader answers")]
fn ok(id: &str, status: &str) -> Result<(String, String), Flaw> {
    Ok((id.to_owned(), status.to_owned()))
}

#[test]
fn cells_come_as_programs_write_them() {
    for (text, expected) in [
        (
            "unique_id,status\nA,x\nB,y\n",
            vec![(2, ok("A", "x")), (3, ok("B", "y"))],
        ),
        (
            "unique_id;status\r\nA;x\r\n\r\nB;y",
            vec![(2, ok("A", "x")), (4, ok("B", "y"))],
        ),
        (
            "unique_id\tstatus\rA\tx\rB\t\r",
            vec![(2, ok("A", "x")), (3, ok("B", ""))],
        ),
        // Text modes write each line feed as carriage return and line feed once more.
        (
            "unique_id,status\r\r\nA,x\r\r\n\r\r\n\"B\",\"y\"\r\r\n\r\r",
            vec![(2, ok("A", "x")), (4, ok("B", "y"))],
        ),
        (
            "status,unique_id\r\r\r\nx,A\ny,B\r\n",
            vec![(2, ok("A", "x")), (3, ok("B", "y"))],
        ),
        (
            "sep=;\nunique_id;status\nA;x,y\n",
            vec![(3, ok("A", "x,y"))],
        ),
        (
            "\"unique_id\",\"status\"\n\"A,1\",\"x \"\"y\"\"\"\n\"B\r\n2\",z\n\"C\",\"\"\r\n",
            vec![
                (2, ok("A,1", "x \"y\"")),
                (3, ok("B\r\n2", "z")),
                (5, ok("C", "")),
            ],
        ),
        (
            "status,note,unique_id\nx,5\" pipe,A\n",
            vec![(2, ok("A", "x"))],
        ),
        (
            "unique_id,status\nA\nB,x,y\nC,z\n",
            vec![
                (2, Err(Flaw::Cells)),
                (3, Err(Flaw::Cells)),
                (4, ok("C", "z")),
            ],
        ),
        (
            "unique_id,status\n\"A\"b,x\nC,z\n\"D,w\nE,v",
            vec![
                (2, Err(Flaw::Quote)),
                (3, ok("C", "z")),
                (4, Err(Flaw::Quote)),
                (5, ok("E", "v")),
            ],
        ),
    ] {
        for piece in [1, 3, 1_000] {
            assert_eq!(
                read(text.as_bytes(), piece).as_ref(),
                Ok(&expected),
                "{text:?} by {piece}"
            );
        }
    }
}

#[test]
fn lines_that_end_in_two_ways_are_refused_where_they_hide_rows() {
    for text in [
        "unique_id,status\rA,x\nB,y\n",
        "unique_id,status\r\"A\",\"x\"\n\"B\",\"y\"\n",
        "unique_id,status\nA,x\rB,y\r",
        "unique_id,status\r\nA,x\r\nB,y\rC,z\r\n",
    ] {
        for piece in [1, 3, 1_000] {
            let rule = read(text.as_bytes(), piece).unwrap_err();
            assert!(rule.contains("two ways"), "{rule}");
        }
    }
    let stray = read(b"unique_id,status\nA\nB\r,x,y\nC,z\n", 3).unwrap();
    assert_eq!(
        stray.len(),
        3,
        "a carriage return within a row refuses only the row"
    );
}

#[test]
fn a_quoted_cell_that_hides_rows_is_refused_with_their_lines() {
    let head = "order_id,note,date,revenue,unique_id\n";
    for (rows, lines) in [
        (
            "1,\"at door,2026-06-01,21.00,A\n2,x,2026-06-02,22.00,B\n3,for mom\",2026-06-03,23.00,C\n",
            "2 to 4",
        ),
        (
            "1,\"at door,2026-06-01,21.00,A\n2,for mom\",2026-06-02,22.00,B\n",
            "2 to 3",
        ),
        (
            "1,\"at door,2026-06-01,,A\n2,for mom\",2026-06-02,$22.00,B",
            "2 to 3",
        ),
        // From one cell to another.
        ("1,\"x,2026-06-01,21.00,A\n2,x,2026-06-02,22.00,B \"\n", ""),
        // Notes of several lines, also with delimiters and numbers.
        ("1,\"at, 5, 6\nthe, 7, 8\",2026-06-01,21.00,A\n", ""),
        (
            "1,\"5 Main St, 10115 Berlin, 1 2, 3\nflat 2, door 3\",2026-06-01,21.00,A\n",
            "",
        ),
        ("1,\"a\n\nb\",2026-06-01,21.00,A\n", ""),
    ] {
        for piece in [1, 7, 1_000] {
            match read(format!("{head}{rows}").as_bytes(), piece) {
                Err(rule) => assert!(!lines.is_empty() && rule.contains(lines), "{rows}: {rule}"),
                Ok(read) => assert!(lines.is_empty(), "{rows}: {read:?}"),
            }
        }
    }
    // The marks of a row do not depend on the delimiter and on the newline.
    let text = "order_id;note;date;revenue\r1;\"x;2026-06-01;21,00\r2;y\";2026-06-02;22,00\r";
    assert!(read(text.as_bytes(), 5).unwrap_err().contains("2 to 3"));
}

#[test]
fn a_header_that_is_not_certain_is_refused() {
    for (text, part) in [
        ("", "empty"),
        ("a,b\n1,2\n", "no column"),
        ("unique_id,unique-id\n1,2\n", "twice"),
        ("unique_id,status;currency\n1,2;3\n", "several delimiters"),
    ] {
        let rule = read(text.as_bytes(), 1_000).unwrap_err();
        assert!(rule.contains(part), "{rule}");
    }
}

proptest! {
    /// Any cells that are written by the rules are read back, wherever the input is cut.
    #[test]
    fn quoted_cells_survive(cells in proptest::collection::vec(("[a-z\",;\r\n é]{0,12}", "[a-z\",\n]{0,8}"), 1..8), piece in 1_usize..40) {
        let quote = |cell: &str| format!("\"{}\"", cell.replace('"', "\"\""));
        let mut text = "unique_id,status\n".to_owned();
        for (id, status) in &cells {
            text = format!("{text}{},{}\n", quote(id), quote(status));
        }
        let rows = read(text.as_bytes(), piece).unwrap();
        let expected: Vec<_> = cells.iter().map(|(id, status)| ok(id, status)).collect();
        prop_assert_eq!(rows.into_iter().map(|(_, row)| row).collect::<Vec<_>>(), expected);
    }

    /// For any bytes, the reader ends, and every line is a row or a flaw, or the file is refused.
    #[test]
    fn any_bytes_are_read_to_their_end(bytes in proptest::collection::vec(prop_oneof![Just(b'"'), Just(b','), Just(b'\n'), Just(b'a'), Just(b'\r')], 0..60), piece in 1_usize..9) {
        let mut text = b"unique_id,status\n".to_vec();
        text.extend(&bytes);
        // A file with two line ends is refused; in any cut alike.
        prop_assert_eq!(read(&text, piece), read(&text, 1_000));
    }

    #[test]
    fn plain_rows_are_read_as_all_are(rows in proptest::collection::vec("[ab1-]{0,9},[a\u{e9}!-]{0,9}|[ab\",\r\u{e9}]{0,12}", 0..9), end in "\r?\n|\r", piece in 1_usize..60) {
        let text = ["unique_id,status", &rows.join(&end), "tail of the file,x"].join(&end);
        prop_assert_eq!(read_by(text.as_bytes(), piece, true), read_by(text.as_bytes(), piece, false));
    }
}
