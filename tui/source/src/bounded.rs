//! Reading with a bound: what other processes have written, and what users give us, may be of any length and may never
//! end.
//!
//! Does not know what is read.

use std::io::{self, Read};

/// Room that is made before anything is read, bytes: files of /proc say of themselves that they are empty, and where that is
/// believed, as `fs::read` does, they are read in small pieces.
const ROOM: usize = 64 << 10;

/// The first `most` bytes, and whether there are more.
///
/// # Errors
/// When it cannot be read.
pub fn head(input: impl Read, most: usize) -> io::Result<(Vec<u8>, bool)> {
    // One more, by which it is told that there are more.
    let limit = most.saturating_add(1);
    let mut bytes = Vec::with_capacity(limit.min(ROOM));
    input.take(u64::try_from(limit).unwrap_or(u64::MAX)).read_to_end(&mut bytes)?;
    let is_cut = bytes.len() > most;
    bytes.truncate(most);
    Ok((bytes, is_cut))
}

/// All of it.
///
/// # Errors
/// When it cannot be read, or is longer than `most` bytes: then no more than these were read.
pub fn whole(input: impl Read, most: usize) -> io::Result<Vec<u8>> {
    match head(input, most)? {
        (bytes, false) => Ok(bytes),
        (_, true) => {
            let (amount, unit) = if most < 1 << 20 { (most >> 10, "KiB") } else { (most >> 20, "MiB") };
            Err(io::Error::new(
                io::ErrorKind::FileTooLarge,
                format!("it is longer than {amount} {unit}, which is the most that is read: shorten it"),
            ))
        }
    }
}

/// All of it, as text.
///
/// # Errors
/// As for [`whole`], and when it is not UTF-8.
pub fn text(input: impl Read, most: usize) -> io::Result<String> {
    String::from_utf8(whole(input, most)?)
        .map_err(|_not_utf8| io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8 text"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Never ends, and counts what is taken.
    struct Endless(usize);

    impl Read for Endless {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            buffer.fill(b'x');
            self.0 += buffer.len();
            Ok(buffer.len())
        }
    }

    #[test]
    fn no_more_is_read_than_was_asked_for_and_one_byte() {
        for most in [0, 1, 1000, ROOM, 3 * ROOM] {
            let mut input = Endless(0);
            let (bytes, is_cut) = head(&mut input, most).unwrap();
            assert_eq!((bytes.len(), is_cut, input.0), (most, true, most + 1));
            assert!(bytes.capacity() <= 2 * most.max(ROOM), "{}", bytes.capacity());
        }
    }

    #[test]
    fn what_is_just_short_enough_is_whole() {
        assert_eq!(head(&b"abc"[..], 3).unwrap(), (b"abc".to_vec(), false));
        assert_eq!(head(&b"abc"[..], 2).unwrap(), (b"ab".to_vec(), true));
        assert_eq!(whole(&[b'x'; 2048][..], 2048).unwrap().len(), 2048);
        let error = whole(&[b'x'; 2049][..], 2048).unwrap_err().to_string();
        assert!(error.contains("longer than 2 KiB"), "{error}");
        assert!(whole(Endless(0), 3 << 20).unwrap_err().to_string().contains("longer than 3 MiB"));
        assert_eq!(text("é".as_bytes(), 2).unwrap(), "é");
        assert!(text(&b"\xff"[..], 9).unwrap_err().to_string().contains("UTF-8"));
    }
}
