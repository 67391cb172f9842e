//! The path of a file, as `/proc/PID/exe` would show it to root: the names of the folders that it is in, from the file up to
//! the root of the mount namespace. `bpf_d_path` does that, but not in tracepoints.
//!
//! Names are written in the order in which they are met, the last one first, and user space turns them round. Does not know
//! what else is in the record.

use core::mem::MaybeUninit;
use core::ptr::{read_volatile, write_volatile};

use aya_ebpf::helpers::generated::{bpf_get_current_task, bpf_probe_read_kernel};
use aya_ebpf::macros::map;
use aya_ebpf::maps::Array;
use ptree_common::layout::MISSING;
use ptree_common::wire::{PATH_ROOM, path_is};

use crate::kernel::{Struct, bounded, offset};

/// Names that are read through pointers whose type the verifier knows: nearly free when run, while each takes the verifier
/// a look through all types. Few programs are further from the root of their mount.
const NEAR: u32 = 6;
/// Names and mounts that are read by a helper: whatever is further up, and all that is behind a mount.
const FAR: u32 = 48;
/// `NAME_MAX`.
const NAME_MAX: u64 = 255;
/// Names as long as these are within the dentry, with their NUL.
const SHORT: u64 = 32;
/// And these in the part of it where all else is that is read of it.
const SHORTEST: u64 = 8;
/// The most that one name takes.
const SLOT_MAX: u64 = 256;

/// Where names go.
#[derive(Clone, Copy)]
pub(crate) struct Names {
    /// Room for [`PATH_ROOM`] bytes, at a multiple of 8.
    pub(crate) into: *mut u8,
    /// Bytes that there are, in memory: what the verifier knows of a number that it sees grow would make each name another
    /// case to it, and of what is read back it knows nothing.
    pub(crate) len: *mut u32,
}

/// Notes where our own paths begin, unless that is known: whoever reads what the task iterator writes is ourselves.
#[inline(always)]
pub(crate) fn note_root() {
    if !is_told() {
        return;
    }
    // SAFETY: a map value, which is written once; the helpers check what they read.
    unsafe {
        let Some(root) = ROOT.get_ptr_mut(0) else { return };
        if (*root).mnt != 0 {
            return;
        }
        let fs = word(bpf_get_current_task() as usize + offset!(task_fs) as usize);
        let mnt = word(fs + offset!(fs_root_mnt) as usize);
        let dentry = word(fs + offset!(fs_root_dentry) as usize);
        // In a chroot, paths go further up.
        if dentry != 0 && word(mnt + offset!(vfsmount_root) as usize) == dentry {
            (*root).dentry = dentry;
            write_volatile(&raw mut (*root).mnt, mnt);
        }
    }
}

/// Our own root: as long as we are there, nothing else is at these addresses.
#[repr(C)]
pub(crate) struct Root {
    mnt: usize,
    dentry: usize,
}

/// See [`note_root`]. Most programs are on the mount that our root is of: then nobody need look whether that is on another.
#[map]
static ROOT: Array<Root> = Array::with_max_entries(1, 0);

/// Writes the names in the path of `file`; gives bits of [`path_is`].
///
/// # Safety
/// `file` is a `file`, and `names` are in a map.
#[inline(always)]
pub(crate) unsafe fn write(file: Struct, names: Names) -> u32 {
    // SAFETY: members of the structs along the way; loads through null give zero, helpers check what they read.
    unsafe {
        let mut dentry = file.follow(offset!(file_dentry));
        let mnt = file.follow(offset!(file_mnt));
        let Some(root) = ROOT.get_ptr_mut(0) else { return 0 };
        let is_on_root = read_volatile(&raw const (*root).mnt) == mnt.as_ptr() as usize;
        let top: usize = if is_on_root {
            read_volatile(&raw const (*root).dentry)
        } else {
            mnt.follow(offset!(vfsmount_root)).as_ptr() as usize
        };
        let leaf = dentry;
        let is_unhashed = leaf.load::<usize>(offset!(dentry_pprev)) == 0;

        write_volatile(names.len, 0);
        let mut is = 0;
        let mut is_root = false;
        for _ in 0..NEAR {
            if dentry.as_ptr() as usize == top {
                break;
            }
            let parent = dentry.follow(offset!(dentry_parent));
            is_root = parent.as_ptr() == dentry.as_ptr();
            if is_root && dentry.as_ptr() != leaf.as_ptr() {
                break;
            }
            near_name(dentry, names);
            if is_root {
                break;
            }
            dentry = parent;
        }
        if is_root {
            // Of a file system without folders or, by a mount of which it has been moved out, up to the root of that.
            is |= path_is::WHOLE;
            if dentry.as_ptr() == leaf.as_ptr() {
                is |= path_is::PSEUDO;
            }
        } else if is_on_root && dentry.as_ptr() as usize == top {
            is |= path_is::WHOLE;
        } else {
            let up = Up {
                dentry: dentry.as_ptr() as usize,
                root: top,
                mount: (mnt.as_ptr() as usize).wrapping_sub(offset!(mount_mnt) as usize),
            };
            if far(up, names) {
                is |= path_is::WHOLE;
            }
        }
        if is_unhashed {
            is |= path_is::DELETED;
        }
        is
    }
}

impl Names {
    /// Room for a name of so many bytes, with a NUL at least.
    ///
    /// # Safety
    /// `self` is in a map.
    #[inline(always)]
    unsafe fn slot(self, len: u64) -> *mut u64 {
        // SAFETY: by the caller; the verifier checks that there is room.
        unsafe {
            let at = bounded(u64::from(read_volatile(self.len)), PATH_ROOM as u64 - SLOT_MAX);
            write_volatile(self.len, (at + (len & !7) + 8) as u32);
            self.into.add(at as usize).cast()
        }
    }
}

/// Writes a name that is read through a pointer.
#[inline(always)]
unsafe fn near_name(dentry: Struct, names: Names) {
    // SAFETY: members of dentry.
    unsafe {
        let len = u64::from(dentry.load::<u32>(offset!(dentry_name_len))) & NAME_MAX;
        let short = offset!(dentry_short);
        let slot = names.slot(len);
        // Behind the NUL is what was there before.
        if len < SHORTEST {
            *slot = dentry.load(short);
        } else if len < SHORT {
            *slot = dentry.load(short);
            *slot.add(1) = dentry.load(short.wrapping_add(8));
            *slot.add(2) = dentry.load(short.wrapping_add(16));
            *slot.add(3) = dentry.load(short.wrapping_add(24));
        } else {
            copy_name(slot.cast(), dentry.load::<usize>(offset!(dentry_name)), len);
        }
    }
}

/// Copies a name and ends it with NULs.
#[inline(always)]
unsafe fn copy_name(slot: *mut u8, name: usize, len: u64) {
    // SAFETY: a slot has room for the longest name; the helper checks the address that it reads.
    unsafe {
        let len = core::hint::black_box(len) & NAME_MAX;
        *slot.add((len & !7) as usize).cast::<u64>() = 0;
        bpf_probe_read_kernel(slot.cast(), len as u32, name as *const _);
    }
}

/// Where one is on the way up.
struct Up {
    dentry: usize,
    /// Of the mount.
    root: usize,
    mount: usize,
}

/// Goes on from a place that is known by its addresses alone, up to the mount on which all others are; whether it came there.
#[inline(always)]
unsafe fn far(mut up: Up, names: Names) -> bool {
    // SAFETY: the helper checks what it reads; writes are bounded as the verifier checks.
    unsafe {
        let mnt = offset!(mount_mnt) as usize;
        for _ in 0..FAR {
            if up.dentry == up.root {
                let [parent, mountpoint] = pair(up.mount, offset!(mount_parent), offset!(mount_mountpoint));
                if parent == up.mount {
                    return true;
                }
                if parent == 0 {
                    return false;
                }
                up.mount = parent;
                up.dentry = mountpoint;
                up.root = word(parent + mnt + offset!(vfsmount_root) as usize);
            } else {
                let parent = word(up.dentry + offset!(dentry_parent) as usize);
                if parent == up.dentry {
                    return true;
                }
                let name = word(up.dentry + offset!(dentry_name) as usize);
                let len = word(up.dentry + offset!(dentry_name_len) as usize) as u64 & NAME_MAX;
                let is_full = read_volatile(names.len) > (PATH_ROOM as u64 - SLOT_MAX) as u32;
                if parent == 0 || name == 0 || is_full {
                    return false;
                }
                copy_name(names.slot(len).cast(), name, len);
                up.dentry = parent;
            }
        }
        false
    }
}

/// A word of the kernel's memory; 0 where it cannot be read.
#[inline(always)]
unsafe fn word(at: usize) -> usize {
    let mut value = 0_usize;
    // SAFETY: the helper checks the address.
    unsafe { bpf_probe_read_kernel((&raw mut value).cast(), 8, at as *const _) };
    value
}

/// Two of them in a struct: by one call where they are beside each other, as they have always been.
#[inline(always)]
unsafe fn pair(strct: usize, first: u32, second: u32) -> [usize; 2] {
    // SAFETY: as above.
    unsafe {
        if second == first.wrapping_add(8) {
            let mut values = MaybeUninit::<[usize; 2]>::uninit();
            bpf_probe_read_kernel(values.as_mut_ptr().cast(), 16, (strct + first as usize) as *const _);
            // Zeros where it cannot be read.
            values.assume_init()
        } else {
            [word(strct + first as usize), word(strct + second as usize)]
        }
    }
}

/// Whether this kernel tells all that is needed.
#[inline(always)]
pub(crate) fn is_told() -> bool {
    // SAFETY: in OFFSETS. All of a part are missing, or none.
    unsafe { offset!(bprm_file) != MISSING }
}
