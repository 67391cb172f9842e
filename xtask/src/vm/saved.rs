//! Kernels that have passed: written down one by one, so that a run that was interrupted can be continued.
//!
//! They count only for the very same programs: what was found with others says nothing.

use std::fs::{self, File};
use std::hash::{DefaultHasher, Hasher as _};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::report::Row;

/// The name of every file of them begins so.
const PREFIX: &str = "passed-";

/// A file with a row on each line.
pub(super) struct Saved {
    path: PathBuf,
    rows: Vec<Row>,
}

impl Saved {
    /// What has passed in a machine with these files, but for what is to be tried anew. What passed with other files is
    /// forgotten.
    pub(super) fn open(folder: &Path, initramfs: &[u8], anew: impl Fn(&Row) -> bool) -> Result<Self> {
        let mut hasher = DefaultHasher::new();
        hasher.write(initramfs);
        let path = folder.join(format!("{PREFIX}{:016x}", hasher.finish()));
        for file in fs::read_dir(folder)? {
            let file = file?;
            if file.file_name().to_string_lossy().starts_with(PREFIX) && file.path() != path {
                fs::remove_file(file.path())?;
            }
        }
        let text = fs::read_to_string(&path).unwrap_or_default();
        // The last line may be torn.
        let all = text.lines().filter_map(|line| serde_json::from_str::<Row>(line).ok());
        let saved = Self { path, rows: all.filter(|row| !anew(row)).collect() };
        fs::write(&saved.path, "")?;
        saved.rows.iter().try_for_each(|row| saved.add(row))?;
        Ok(saved)
    }

    /// The row of a kernel that has passed in this release.
    pub(super) fn row(&self, label: &str, release: &str) -> Option<Row> {
        self.rows.iter().find(|row| row.label == label && row.release == release).cloned()
    }

    /// Writes a row down.
    pub(super) fn add(&self, row: &Row) -> Result<()> {
        let mut line = serde_json::to_string(row)?;
        line.push('\n');
        let mut file = File::options().create(true).append(true).open(&self.path)?;
        file.write_all(line.as_bytes()).with_context(|| format!("cannot write '{}'", self.path.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::super::qemu::Ending;
    use super::*;

    #[test]
    fn rows_are_there_again_for_the_same_programs() {
        let folder = std::env::temp_dir().join(format!("ptree-tui-saved-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let row = |label: &str| Row::new(label, &format!("{label}-amd64"), Ending::Verdict(true), "", "");
        let saved = Saved::open(&folder, b"one", |_| true).unwrap();
        saved.add(&row("6.1-rt")).unwrap();
        saved.add(&row("7.3-rt")).unwrap();
        fs::write(&saved.path, fs::read_to_string(&saved.path).unwrap() + "{\"label\":").unwrap();
        let again = Saved::open(&folder, b"one", |_| false).unwrap();
        assert_eq!(again.row("7.3-rt", "7.3-rt-amd64"), Some(row("7.3-rt")));
        assert_eq!(again.row("7.3-rt", "7.3.1-rt-amd64"), None, "another release has not passed");
        assert_eq!(again.row("7.2-rt", "7.3-rt-amd64"), None);
        assert!(Saved::open(&folder, b"two", |_| false).unwrap().rows.is_empty());
        assert!(
            Saved::open(&folder, b"one", |_| false).unwrap().rows.is_empty(),
            "other programs were tried meanwhile"
        );
        again.rows.iter().for_each(|row| saved.add(row).unwrap());
        // What is tried anew has to pass anew; the others are left alone.
        for _ in 0..2 {
            let some = Saved::open(&folder, b"one", |row| row.label == "7.3-rt").unwrap();
            assert_eq!(some.rows, [row("6.1-rt")]);
        }
        fs::remove_dir_all(folder).unwrap();
    }
}
