//! The program itself on a terminal, with a person at the keys and a machine at work: how long a key takes to show, whether
//! anything flickers or jumps, what a frame and a look at all processes cost. `cargo xtask lag` runs it, as root.
//!
//! `lag [--check] [--seconds N]`: N seconds of keys for each size of the screen and each load; with `--check` it fails
//! when something is worse than it should be. Everything it starts ends with it.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "for developers: a panic is how to fail")]

mod cost;
mod keys;
mod load;
#[path = "../../tests/common/pty.rs"]
mod pty;
mod screen;
mod session;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

use crate::keys::{Lags, Typist};
use crate::load::Load;
use crate::session::Session;

/// Screens: columns and rows.
const SIZES: [(u16, u16); 2] = [(80, 24), (200, 50)];
/// Spawns a second beside the keys; `None` for as many as can be.
const STORMS: [Option<u32>; 3] = [Some(0), Some(2000), None];
/// Processes that give the list its length.
const SLEEPERS: u32 = 100;
/// Of a hundred keys, ninety-nine show sooner.
const LONGEST: Duration = Duration::from_millis(50);

fn main() -> anyhow::Result<()> {
    let (check, seconds) = arguments()?;
    let mut faults = Vec::new();
    for size in SIZES {
        for storm in STORMS {
            faults.extend(type_keys(size, storm, seconds)?);
        }
    }
    faults.extend(cost::measure()?);
    for fault in &faults {
        eprintln!("{fault}");
    }
    if check && !faults.is_empty() {
        bail!("lag: {} beyond what is allowed", faults.len());
    }
    Ok(())
}

fn arguments() -> anyhow::Result<(bool, Duration)> {
    let (mut check, mut seconds) = (false, 15);
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match &*arg {
            "--check" => check = true,
            "--seconds" => {
                let number = args.next().and_then(|number| number.parse().ok()).filter(|number| *number > 0);
                seconds = number.context("'--seconds' needs a whole number above 0")?;
            }
            _ => bail!("unknown argument '{arg}'; there are '--check' and '--seconds'"),
        }
    }
    Ok((check, Duration::from_secs(seconds)))
}

/// A program built beside this one.
fn beside(name: &str) -> anyhow::Result<PathBuf> {
    let folder = std::env::current_exe()?.parent().context("this program is in no folder")?.to_path_buf();
    // Examples have a folder of their own below that of the programs.
    let found = [folder.join(name), folder.join("..").join(name)].into_iter().find(|path| path.is_file());
    found.with_context(|| format!("'{name}' is not built: run this by `cargo xtask lag`"))
}

/// Types for so long; tells what came of it, and returns what should not be.
fn type_keys((columns, rows): (u16, u16), storm: Option<u32>, time: Duration) -> anyhow::Result<Vec<String>> {
    let about = match storm {
        Some(0) => format!("{columns}x{rows}, quiet"),
        Some(rate) => format!("{columns}x{rows}, {rate} spawns/s"),
        None => format!("{columns}x{rows}, spawns at full speed"),
    };
    let _sleepers = Load::sleepers(SLEEPERS)?;
    let _storm = (storm != Some(0)).then(|| Load::spawns(storm.unwrap_or(0))).transpose()?;
    let mut session = Session::start((columns, rows), &["--theme", "16-colour"])?;
    let first = session.first_frame()?;
    let mut lags = Lags::default();
    let mut typist = Typist::new(&mut session);
    // The storm and the alert on it begin while somebody looks on.
    typist.look_on(Duration::from_secs(2))?;
    let end = Instant::now() + time;
    while Instant::now() < end {
        typist.round(&mut lags)?;
    }
    let seen = session.finish()?;
    println!("\n{about}: first frame after {:.0} ms", first.as_secs_f64() * 1e3);
    print!("{lags}");
    println!("{seen}");
    let mut faults = seen.faults();
    if let Some(late) = lags.of_hundred(99).filter(|lag| *lag > LONGEST) {
        faults.push(format!("99 of 100 keys show within {late:.1?}, which should be {LONGEST:?}"));
    }
    if lags.unseen > 0 {
        faults.push(format!("{} keys never showed", lags.unseen));
    }
    Ok(faults.into_iter().map(|fault| format!("{about}: {fault}")).collect())
}
