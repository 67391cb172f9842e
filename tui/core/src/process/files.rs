//! Which files a program is of: the one that runs, what was typed for it, and the interpreter that a script names.
//!
//! All of it is one allocation, and equal ones are the same: tens of thousands of processes run the same few programs. Does
//! not know where it comes from.

use std::sync::Arc;

use crate::event::Exe;
use crate::intern::Interner;

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Files(Arc<[u8]>);

const EXE: u8 = 1;
const DELETED: u8 = 2;
const MEMFD: u8 = 4;
const TRUNCATED: u8 = 8;
const FILENAME: u8 = 16;
/// What was typed is the path of the file.
const SAME: u8 = 32;
const INTERP: u8 = 64;
/// The bits, and the lengths of the first two texts.
const HEAD: usize = 9;

impl Files {
    /// `None` where nothing is known.
    pub(crate) fn new(
        interner: &mut Interner<[u8]>,
        exe: Option<&Exe>,
        filename: Option<&[u8]>,
        interp: Option<&[u8]>,
    ) -> Option<Self> {
        let mut bits = 0;
        for (bit, is) in [
            (EXE, exe.is_some()),
            (DELETED, exe.is_some_and(|exe| exe.deleted)),
            (MEMFD, exe.is_some_and(|exe| exe.memfd)),
            (TRUNCATED, exe.is_some_and(|exe| exe.truncated)),
            (FILENAME, filename.is_some()),
            (SAME, filename.is_some() && exe.map(|exe| &*exe.path) == filename),
            (INTERP, interp.is_some()),
        ] {
            bits |= if is { bit } else { 0 };
        }
        if bits == 0 {
            return None;
        }
        let path = exe.map_or(&[][..], |exe| &exe.path);
        let typed = filename.filter(|_| bits & SAME == 0).unwrap_or_default();
        let interp = interp.unwrap_or_default();
        let mut packed = Vec::with_capacity(HEAD + path.len() + typed.len() + interp.len());
        packed.push(bits);
        // Nothing that is longer than 4 GiB comes here.
        packed.extend(u32::try_from(path.len()).unwrap_or(0).to_ne_bytes());
        packed.extend(u32::try_from(typed.len()).unwrap_or(0).to_ne_bytes());
        for text in [path, typed, interp] {
            packed.extend_from_slice(text);
        }
        Some(Self(interner.share(&packed, || packed.as_slice().into())))
    }

    /// All of it, for whoever counts bytes.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The file that runs, by itself.
    pub(crate) fn file(&self) -> Option<Exe> {
        let (deleted, memfd, truncated) = (self.is_deleted(), self.is_memfd(), self.is_truncated());
        Some(Exe { path: self.exe()?.into(), deleted, memfd, truncated })
    }

    /// Path of the file that runs.
    pub(crate) fn exe(&self) -> Option<&[u8]> {
        self.has(EXE).then_some(self.texts()[0])
    }

    pub(crate) fn is_deleted(&self) -> bool {
        self.has(DELETED)
    }

    pub(crate) fn is_memfd(&self) -> bool {
        self.has(MEMFD)
    }

    pub(crate) fn is_truncated(&self) -> bool {
        self.has(TRUNCATED)
    }

    /// The path as it was given to execve.
    pub(crate) fn filename(&self) -> Option<&[u8]> {
        self.has(FILENAME).then_some(self.texts()[usize::from(!self.has(SAME))])
    }

    pub(crate) fn interp(&self) -> Option<&[u8]> {
        self.has(INTERP).then_some(self.texts()[2])
    }

    fn has(&self, bit: u8) -> bool {
        self.0.first().is_some_and(|bits| bits & bit != 0)
    }

    fn texts(&self) -> [&[u8]; 3] {
        let length = |at: usize| {
            let bytes = self.0.get(at..at + 4).and_then(|bytes| bytes.try_into().ok());
            bytes.map_or(0, |bytes| u32::from_ne_bytes(bytes) as usize)
        };
        let texts = self.0.get(HEAD..).unwrap_or_default();
        let (path, rest) = texts.split_at_checked(length(1)).unwrap_or((texts, &[]));
        let (typed, interp) = rest.split_at_checked(length(5)).unwrap_or((rest, &[]));
        [path, typed, interp]
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bytes() -> impl Strategy<Value = Option<Vec<u8>>> {
        prop::option::of(prop::collection::vec(any::<u8>(), 0..20))
    }

    proptest! {
        #[test]
        fn what_is_put_in_comes_out(path in bytes(), typed in bytes(), interp in bytes(), same: bool, bits in any::<[bool; 3]>()) {
            let mut interner = Interner::default();
            let [deleted, memfd, truncated] = bits;
            let exe = path.map(|path| Exe { path: path.into(), deleted, memfd, truncated });
            let typed = if same { exe.as_ref().map(|exe| exe.path.to_vec()) } else { typed };
            let mut new = || Files::new(&mut interner, exe.as_ref(), typed.as_deref(), interp.as_deref());
            let (Some(files), Some(again)) = (new(), new()) else {
                prop_assert!(exe.is_none() && typed.is_none() && interp.is_none());
                return Ok(());
            };
            prop_assert_eq!(files.as_bytes().as_ptr(), again.as_bytes().as_ptr());
            prop_assert_eq!(files.exe(), exe.as_ref().map(|exe| &*exe.path));
            prop_assert_eq!((files.filename(), files.interp()), (typed.as_deref(), interp.as_deref()));
            let is = exe.map(|exe| [exe.deleted, exe.memfd, exe.truncated]).unwrap_or_default();
            prop_assert_eq!([files.is_deleted(), files.is_memfd(), files.is_truncated()], is);
        }
    }
}
