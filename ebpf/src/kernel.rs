//! Reading kernel structs at offsets that the loader fills in before the verifier sees the program.
//!
//! Does not know what the members mean; see [`crate::task`].

use core::ptr::read_volatile;

use ptree_common::layout::{MISSING, Offsets, Settings};

/// Byte offsets of struct members in the running kernel. The map behind it is frozen before load, so that each is a
/// constant to the verifier and the branches on a missing one fall away.
#[unsafe(no_mangle)]
static OFFSETS: Offsets = Offsets::UNSET;

/// The loader's other constants.
#[unsafe(no_mangle)]
static SETTINGS: Settings = Settings::UNSET;

/// The offset of a member, by its field in [`Offsets`].
macro_rules! offset {
    ($field:ident) => {
        $crate::kernel::constant(&raw const (*$crate::kernel::offsets()).$field)
    };
}
pub(crate) use offset;

#[inline(always)]
pub(crate) fn offsets() -> *const Offsets {
    &raw const OFFSETS
}

#[inline(always)]
pub(crate) fn settings() -> *const Settings {
    &raw const SETTINGS
}

/// Reads a constant that the loader has replaced.
///
/// # Safety
/// `place` points into [`OFFSETS`] or [`SETTINGS`].
#[inline(always)]
pub(crate) unsafe fn constant<T: Copy>(place: *const T) -> T {
    // SAFETY: by the caller; volatile, so that the compiler does not use the value it sees in the source.
    unsafe { read_volatile(place) }
}

/// `value`, or 0 where it is more than `max`: a test that the verifier sees. What the compiler knows to be small enough
/// it does not test again, or tests in a way that verifiers before 6.8 do not understand: they also follow ways that no
/// number can go, and lose its bounds there.
#[inline(always)]
pub(crate) fn bounded(value: u64, max: u64) -> u64 {
    let value = core::hint::black_box(value);
    if value > max { 0 } else { value }
}

/// A pointer to a kernel struct whose type the verifier knows: a hook's argument or a pointer member loaded from one.
/// Loads through it fault softly: a null or stale pointer reads as zero.
#[derive(Clone, Copy)]
pub(crate) struct Struct(*const u8);

impl Struct {
    pub(crate) const fn new(pointer: *const u8) -> Self {
        Self(pointer)
    }

    pub(crate) const fn as_ptr(self) -> *const u8 {
        self.0
    }

    /// Loads a member.
    ///
    /// # Safety
    /// `offset` is that of a member of this struct, at least as long as `T`; the verifier checks it.
    #[inline(always)]
    pub(crate) unsafe fn load<T: Copy>(self, offset: u32) -> T {
        // SAFETY: by the caller. Volatile keeps each load a load of its own, of this very size.
        unsafe { read_volatile(self.0.add(offset as usize).cast::<T>()) }
    }

    /// Loads a member, or gives `default` where this kernel has none.
    ///
    /// # Safety
    /// As for [`Struct::load`].
    #[inline(always)]
    pub(crate) unsafe fn load_or<T: Copy>(self, offset: u32, default: T) -> T {
        if offset == MISSING {
            default
        } else {
            // SAFETY: by the caller.
            unsafe { self.load(offset) }
        }
    }

    /// Follows a pointer member.
    ///
    /// # Safety
    /// As for [`Struct::load`].
    #[inline(always)]
    pub(crate) unsafe fn follow(self, offset: u32) -> Self {
        // SAFETY: by the caller.
        Self(unsafe { self.load(offset) })
    }
}
