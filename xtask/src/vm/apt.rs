//! Debian's archive, through an apt that has a configuration of its own: the system's lists of packages stay untouched,
//! and kernels of all releases of Debian stand side by side.
//!
//! Knows neither patterns nor machines.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use super::kernel::{Candidate, Release};
use crate::process;

/// Releases of Debian, the security updates of which have a mirror of their own.
const RELEASES: [&str; 3] = ["bullseye", "bookworm", "trixie"];
/// What else the mirror has; kernels not yet released are in `experimental`.
const SUITES: [&str; 5] = ["bookworm-backports", "trixie-backports", "forky", "sid", "experimental"];
/// Whoever signs it.
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";
/// Lists of packages are fetched anew when older.
const FRESH: Duration = Duration::from_hours(24);
/// Folder of files that are named after releases which these lists have, and the archive has not.
const ABSENT: &str = "absent";
/// So many releases of one kernel are tried before it counts as not to be had.
const TRIES: usize = 8;

/// The archive, and the kernels that were fetched from it.
pub(super) struct Archive {
    folder: PathBuf,
    kernels: PathBuf,
}

impl Archive {
    /// Brings the lists up to date.
    ///
    /// # Errors
    /// When there is no mirror, or it cannot be reached and there are no older lists.
    pub(super) fn open(cache: &Path, mirror: Option<&str>) -> Result<Self> {
        let archive = Self { folder: cache.join("apt"), kernels: cache.join("kernels") };
        for folder in ["lists/partial", "cache/archives/partial", ABSENT] {
            fs::create_dir_all(archive.folder.join(folder))?;
        }
        fs::create_dir_all(&archive.kernels)?;
        archive.write_settings()?;
        if !Path::new(KEYRING).exists() {
            bail!("'{KEYRING}' is missing: run `cargo xtask setup --vm`");
        }
        let (main, security) = match mirror {
            Some(mirror) => (mirror.to_owned(), None),
            None => own_mirrors()?,
        };
        let sources = sources(&main, security.as_deref());
        let (file, stamp) = (archive.folder.join("sources.list"), archive.folder.join("updated"));
        let same = fs::read_to_string(&file).is_ok_and(|before| before == sources);
        let age = fs::metadata(&stamp).and_then(|data| data.modified()).ok().and_then(|time| time.elapsed().ok());
        if same && age.is_some_and(|age| age < FRESH) {
            return Ok(archive);
        }
        fs::write(&file, sources)?;
        match process::run(archive.apt("apt-get").arg("update")) {
            Ok(()) => {
                File::create(stamp)?;
                fs::remove_dir_all(archive.folder.join(ABSENT))?;
                fs::create_dir(archive.folder.join(ABSENT))?;
            }
            Err(error) if archive.packages()?.lines().next().is_some() => {
                eprintln!("warning: {error}; going on with the lists that are there");
            }
            Err(error) => return Err(error.context("the Debian archive cannot be reached: no kernel was tried")),
        }
        Ok(archive)
    }

    /// Names of packages that may be kernels, one a line.
    pub(super) fn packages(&self) -> Result<String> {
        process::output(self.apt("apt-cache").args(["pkgnames", "linux-"]))
    }

    /// The newest release that can be had, and its image.
    pub(super) fn vmlinuz(&self, candidate: &Candidate) -> Result<(String, PathBuf)> {
        self.vmlinuz_by(candidate, |release, image| self.fetch(release, image))
    }

    /// The same, where `fetch` fetches an image, and says whether there was one.
    fn vmlinuz_by(
        &self,
        candidate: &Candidate,
        mut fetch: impl FnMut(&Release, &Path) -> Result<bool>,
    ) -> Result<(String, PathBuf)> {
        let (mut tried, mut missed) = (Vec::new(), Vec::new());
        for release in candidate.releases.iter().take(TRIES) {
            tried.push(release.name.as_str());
            let image = self.image(release);
            let is_here = image.exists();
            if !is_here && self.is_absent(release) {
                continue;
            }
            // One that is here from before is fetched again when a newer one did not come: only that tells whether the
            // archive lacks the newer one, or does not answer.
            if (!is_here || !missed.is_empty()) && fetch(release, &image)? {
                missed.into_iter().try_for_each(|missed| File::create(self.mark(missed)).map(drop))?;
            } else if !is_here {
                missed.push(release);
                continue;
            }
            return Ok((release.name.clone(), image));
        }
        bail!("the archive lists {}, but no image came of it", tried.join(", "))
    }

    /// The newest release that is not known to be missing from the archive.
    pub(super) fn newest<'c>(&self, candidate: &'c Candidate) -> Option<&'c str> {
        let mut releases = candidate.releases.iter().take(TRIES);
        let newest = releases.find(|release| self.image(release).exists() || !self.is_absent(release))?;
        Some(&newest.name)
    }

    fn image(&self, release: &Release) -> PathBuf {
        self.kernels.join(format!("vmlinuz-{}", release.name))
    }

    /// The file that says that the archive has not got it.
    fn mark(&self, release: &Release) -> PathBuf {
        self.folder.join(ABSENT).join(&release.name)
    }

    fn is_absent(&self, release: &Release) -> bool {
        self.mark(release).exists()
    }

    /// Fetches an image; false when no package has it.
    fn fetch(&self, release: &Release, image: &Path) -> Result<bool> {
        let folder = self.folder.join("download");
        for package in &release.packages {
            if folder.exists() {
                fs::remove_dir_all(&folder)?;
            }
            fs::create_dir(&folder)?;
            let mut download = self.apt("apt-get");
            if let Err(error) = process::run(download.args(["download", package]).current_dir(&folder)) {
                eprintln!("warning: {error}");
                continue;
            }
            let Some(file) = fs::read_dir(&folder)?.next() else { continue };
            let unpacked = folder.join("unpacked");
            fs::create_dir(&unpacked)?;
            unpack(&file?.path(), &unpacked)?;
            if let Some(found) = find(&unpacked)? {
                // Whole or not at all.
                fs::rename(found, image)?;
                fs::remove_dir_all(&folder)?;
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// `apt-get` or `apt-cache` that keeps to our folder.
    fn apt(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.arg("--config-file").arg(self.folder.join("apt.conf"));
        command
    }

    fn write_settings(&self) -> Result<()> {
        let folder = self.folder.to_str().context("apt wants a cache folder whose name is UTF-8")?;
        let settings = format!(
            r#"Dir::Etc::sourcelist "{folder}/sources.list";
Dir::Etc::sourceparts "-";
Dir::State::Lists "{folder}/lists";
Dir::State::status "{folder}/status";
Dir::Cache "{folder}/cache";
// Containers often do without; each call would take seconds.
Dir::Cache::pkgcache "pkgcache.bin";
Dir::Cache::srcpkgcache "srcpkgcache.bin";
// Root's apt would let another user download, who may not come into this folder.
APT::Sandbox::User "root";
APT::Architecture "amd64";
Acquire::Languages "none";
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
Acquire::Retries "3";
quiet "2";
"#
        );
        fs::write(self.folder.join("apt.conf"), settings)?;
        // Nothing is installed. Left alone once it is there: apt's cache must not be older than this file.
        File::options().create(true).append(true).open(self.folder.join("status"))?;
        Ok(())
    }
}

/// Takes what may be a kernel's image out of a package.
fn unpack(package: &Path, folder: &Path) -> Result<()> {
    let mut contents = Command::new("dpkg-deb").arg("--fsys-tarfile").arg(package).stdout(Stdio::piped()).spawn()?;
    let tar = contents.stdout.take().context("no output of dpkg-deb")?;
    // tar fails when nothing matches, which is not for it to say.
    Command::new("tar")
        .args(["--extract", "--wildcards", "--transform=s,.*/,,", "--directory"])
        .arg(folder)
        .arg("*/vmlinuz*")
        .stdin(tar)
        .stderr(Stdio::null())
        .status()?;
    if !contents.wait()?.success() {
        bail!("'{}' is not a whole package", package.display());
    }
    Ok(())
}

fn find(folder: &Path) -> Result<Option<PathBuf>> {
    Ok(fs::read_dir(folder)?.next().transpose()?.map(|file| file.path()))
}

/// The mirror that the system's own apt uses, and its mirror of security updates.
fn own_mirrors() -> Result<(String, Option<String>)> {
    let targets = process::output(Command::new("apt-get").args([
        "indextargets",
        "--format",
        "$(RELEASE) $(REPO_URI) $(COMPONENT) $(ORIGIN)",
        "Created-By: Packages",
    ]))?;
    mirrors(&targets).context("apt knows no mirror of Debian here: give --mirror URL")
}

/// Finds both in lines of `RELEASE URI COMPONENT ORIGIN`, the last of which apt leaves out before its first update.
fn mirrors(targets: &str) -> Option<(String, Option<String>)> {
    let known = |release: &str| RELEASES.contains(&release) || SUITES.contains(&release);
    let targets = || {
        targets.lines().filter_map(|line| {
            let mut words = line.split(' ');
            let (release, uri, component) = (words.next()?, words.next()?, words.next()?);
            let others = words.next().is_some_and(|origin| origin != "Debian" && !origin.starts_with("$("));
            (component == "main" && !others).then_some((release, uri))
        })
    };
    let main = targets().find(|(release, _)| known(release))?.1;
    let security = targets().find(|(release, _)| release.strip_suffix("-security").is_some_and(known));
    Some((main.into(), security.map(|(_, uri)| uri.into())))
}

fn sources(main: &str, security: Option<&str>) -> String {
    let line = |uri: &str, suite: &str| format!("deb [signed-by={KEYRING}] {uri} {suite} main\n");
    let own = RELEASES.iter().chain(&SUITES).map(|suite| line(main, suite));
    let security =
        security.into_iter().flat_map(|uri| RELEASES.map(|release| line(uri, &format!("{release}-security"))));
    own.chain(security).collect()
}

#[cfg(test)]
mod tests {
    use super::super::kernel;
    use super::*;

    #[test]
    fn a_release_counts_as_missing_only_when_the_archive_has_answered() {
        let cache = std::env::temp_dir().join(format!("ptree-tui-apt-{}", std::process::id()));
        let archive = Archive { folder: cache.join("apt"), kernels: cache.join("kernels") };
        fs::create_dir_all(archive.folder.join(ABSENT)).unwrap();
        fs::create_dir_all(&archive.kernels).unwrap();
        let packages = ["linux-image-6.1.0-3-amd64", "linux-image-6.1.0-2-amd64", "linux-image-6.1.0-1-amd64"];
        let candidate = &kernel::choose(&kernel::all(packages.into_iter()), &[]).unwrap()[0];
        let get = |has: &str| {
            let mut fetched = Vec::new();
            let got = archive.vmlinuz_by(candidate, |release, image| {
                fetched.push(release.name.clone());
                let found = release.name == has;
                if found {
                    fs::write(image, "")?;
                }
                Ok(found)
            });
            (got.map(|(release, _)| release).unwrap_or_default(), fetched.concat().replace("-amd64", " "))
        };
        let newest = || archive.newest(candidate).unwrap_or_default().to_owned();
        let [new, middle] = ["6.1.0-3-amd64", "6.1.0-2-amd64"];
        assert_eq!(get("").0, "", "nothing comes");
        assert_eq!(newest(), new);
        fs::write(archive.image(&candidate.releases[1]), "").unwrap();
        assert_eq!(get(""), (middle.into(), "6.1.0-3 6.1.0-2 ".into()), "an older one is here, but nothing comes");
        assert_eq!(newest(), new);
        assert_eq!(get(middle), (middle.into(), "6.1.0-3 6.1.0-2 ".into()), "the older one does come");
        assert_eq!(newest(), middle);
        assert_eq!(get(new), (middle.into(), String::new()), "all is known");
        fs::remove_dir_all(cache).unwrap();
    }

    #[test]
    fn the_mirrors_are_debians_and_nobody_elses() {
        let targets = "nodistro http://node.example/ main
bookworm http://vendor.example/prod main Vendor
bookworm http://d.example/debian contrib Debian
bookworm http://d.example/debian main Debian
bookworm-updates http://d.example/debian main Debian
bookworm-security http://s.example/debian-security main $(ORIGIN)";
        let (main, security) = mirrors(targets).unwrap();
        assert_eq!(
            (main.as_str(), security.as_deref()),
            ("http://d.example/debian", Some("http://s.example/debian-security"))
        );
        assert_eq!(mirrors("noble http://u.example/ubuntu main Ubuntu"), None);
        assert_eq!(mirrors("sid http://d.example/debian main").unwrap(), ("http://d.example/debian".into(), None));
    }

    #[test]
    fn every_suite_has_its_line() {
        let lines = sources("http://d/", Some("http://s/"));
        assert_eq!(lines.lines().count(), RELEASES.len() + SUITES.len() + RELEASES.len());
        assert!(lines.contains("] http://d/ trixie-backports main\n"));
        assert!(lines.contains("] http://s/ bullseye-security main\n"));
        assert!(!sources("http://d/", None).contains("security"));
    }
}
