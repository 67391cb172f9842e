//! Plays the committed seeds to the targets: what has been found once stays mended, and the targets stay in step with
//! what they call.

use std::fs;
use std::path::Path;

#[test]
fn every_target_takes_its_seeds() {
    for (name, target) in ptree_fuzz::TARGETS {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds").join(name);
        let mut seeds = 0;
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            eprintln!("{}", path.display());
            target(&fs::read(path).unwrap());
            seeds += 1;
        }
        assert!(seeds > 0, "no seeds in {}", folder.display());
    }
}
