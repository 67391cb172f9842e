//! Reading what the benches print: divan's table, and the lines `name bytes` of the memory bench.
//!
//! divan prints nothing but a table for people; its version is pinned, and a table that cannot be read is an error.

use anyhow::{Context as _, Result, bail};

use super::Figures;

/// The fastest time of every bench in a table, by its path, and the bytes of every line that tells some.
pub(super) fn read(text: &str) -> Result<Figures> {
    let mut figures = Figures::default();
    let mut path: Vec<&str> = Vec::new();
    for line in text.lines() {
        if let Some((name, bytes)) = line.split_once(' ').filter(|(name, _)| name.starts_with("memory/")) {
            let bytes = bytes.parse().with_context(|| format!("'{bytes}' are no bytes"))?;
            figures.bytes.insert(name.to_owned(), bytes);
        } else if line.contains(" fastest ") {
            path = line.split_whitespace().take(1).collect();
        } else if let Some((depth, rest)) = branch(line).filter(|_| !path.is_empty()) {
            let cell = rest.split('│').next().unwrap_or_default();
            let mut words = cell.split_whitespace();
            path.truncate(depth);
            path.push(words.next().context("a line of the table has no name")?);
            if let (Some(number), Some(unit)) = (words.next(), words.next()) {
                figures.times.insert(path.join("/"), nanoseconds(number, unit)?);
            }
        }
    }
    Ok(figures)
}

/// How deep a line is and what stands behind its branch; `None` for one without: of a counter, for instance.
fn branch(line: &str) -> Option<(usize, &str)> {
    let at = line.find(['├', '╰'])?;
    let is_stem = line[..at].chars().all(|c| c == '│' || c == ' ');
    let rest = line[at..].split_once("─ ")?.1;
    // A branch is three characters wide.
    is_stem.then(|| (line[..at].chars().count() / 3 + 1, rest))
}

fn nanoseconds(number: &str, unit: &str) -> Result<f64> {
    let factor = match unit {
        "ps" => 1e-3,
        "ns" => 1.0,
        "µs" => 1e3,
        "ms" => 1e6,
        "s" => 1e9,
        "m" => 60e9,
        _ => bail!("'{unit}' is no unit of time"),
    };
    Ok(number.parse::<f64>().with_context(|| format!("'{number}' is no number"))? * factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "\
Timer precision: 17 ns
model                   fastest       │ slowest       │ median        │ mean          │ samples │ iters
├─ reference            171.2 µs      │ 16.33 ms      │ 171.6 µs      │ 785.5 µs      │ 100     │ 100
├─ build                              │               │               │               │         │
│  ├─ at_rest                         │               │               │               │         │
│  │  ╰─ fold_one                     │               │               │               │         │
│  │     ├─ 1000        292.8 ns      │ 9.405 µs      │ 460.8 ns      │ 562.4 ns      │ 100     │ 100
│  │     ╰─ 1000000     1.5 s         │ 16.21 µs      │ 653.8 ns      │ 822.3 ns      │ 100     │ 100
│  ╰─ in_motion                       │               │               │               │         │
│     ╰─ ingest                       │               │               │               │         │
│        ╰─ 1000        2 ms          │ 2.5 ms        │ 2.1 ms        │ 2.1 ms        │ 100     │ 100
│                       2 Mitem/s     │ 1.6 Mitem/s   │ 1.9 Mitem/s   │ 1.9 Mitem/s   │         │
╰─ expiry                             │               │               │               │         │
   ╰─ tree              40 ms         │ 41 ms         │ 40 ms         │ 40 ms         │ 5       │ 5

memory/star/live/tree 555
";

    #[test]
    fn a_table_is_read_with_its_paths_and_units() {
        let figures = read(TABLE).unwrap();
        let times = [
            ("model/build/at_rest/fold_one/1000", 292.8),
            ("model/build/at_rest/fold_one/1000000", 1.5e9),
            ("model/build/in_motion/ingest/1000", 2e6),
            ("model/expiry/tree", 40e6),
            ("model/reference", 171_200.0),
        ];
        assert_eq!(figures.times, times.map(|(name, time)| (name.to_owned(), time)).into());
        assert_eq!(figures.bytes, [("memory/star/live/tree".to_owned(), 555.0)].into());
    }

    #[test]
    fn what_cannot_be_read_is_an_error() {
        assert!(read(&TABLE.replace("292.8 ns", "292.8 weeks")).is_err());
        assert!(read(&TABLE.replace("292.8 ns", "fast ns")).is_err());
        assert!(read("memory/star/live/tree many").is_err());
    }
}
