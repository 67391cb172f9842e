//! What a field of a line may hold: numbers as other writers have them, texts of any bytes, arguments.
//!
//! Does not know which fields there are; see `line`.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use ptree_core::Argv;
use ptree_core::text::{escape, unescape};
use serde::de::{Error, SeqAccess, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What a field may hold, and how it is read; null is as if it were absent.
pub(super) trait Value<'de>: Sized {
    fn read<D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error>;
}

/// Reads what a field holds.
pub(super) fn value<'de, D: Deserializer<'de>, T: Value<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::read(deserializer)
}

macro_rules! as_it_is {
    ($($type:ty),*) => { $(
        impl<'de> Value<'de> for $type {
            fn read<D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
                Option::deserialize(deserializer)
            }
        }
    )* };
}

as_it_is!(bool, char, f64, Args);

impl<'de: 'a, 'a> Value<'de> for Text<'a> {
    fn read<D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
        Option::deserialize(deserializer)
    }
}

impl<'de: 'a, 'a> Value<'de> for Vec<Text<'a>> {
    fn read<D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
        Option::deserialize(deserializer)
    }
}

macro_rules! whole_numbers {
    ($($type:ty),*) => { $(
        impl<'de> Value<'de> for $type {
            fn read<D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
                let number = Option::<Whole<{ <$type>::MAX as u64 }>>::deserialize(deserializer)?;
                number.map(|Whole(number)| Self::try_from(number).map_err(D::Error::custom)).transpose()
            }
        }
    )* };
}

whole_numbers!(u8, u32, u64);

/// From -128 to 127; written by others it may be `5.0` as well.
impl<'de> Value<'de> for i8 {
    #[expect(clippy::cast_possible_truncation, reason = "checked to be the same")]
    fn read<D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
        let number = Option::<f64>::deserialize(deserializer)?;
        let whole = |number: f64| Some(number as Self).filter(|whole| f64::from(*whole) == number);
        let wrong = |number| D::Error::invalid_value(Unexpected::Float(number), &"a whole number from -128 to 127");
        number.map(|number| whole(number).ok_or_else(|| wrong(number))).transpose()
    }
}

/// Tells null from absent.
impl<'de> Value<'de> for Option<u32> {
    fn read<D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
        u32::read(deserializer).map(Some)
    }
}

/// A whole number up to `MAX`. Other writers have one kind of numbers, and write `1000.0` or `1e3` for a thousand.
struct Whole<const MAX: u64>(u64);

impl<'de, const MAX: u64> Deserialize<'de> for Whole<MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Number<const MAX: u64>;

        impl<const MAX: u64> Visitor<'_> for Number<MAX> {
            type Value = Whole<MAX>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a whole number from 0 to {MAX}")
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Whole<MAX>, E> {
                Err(E::invalid_value(Unexpected::Signed(number), &self))
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Whole<MAX>, E> {
                if number <= MAX {
                    Ok(Whole(number))
                } else {
                    Err(E::invalid_value(Unexpected::Unsigned(number), &self))
                }
            }

            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be in range")]
            fn visit_f64<E: Error>(self, number: f64) -> Result<Whole<MAX>, E> {
                // Two to the 64th, the first that is too much, is exact.
                if (0.0..18_446_744_073_709_551_616.0).contains(&number) && number.fract() == 0.0 {
                    self.visit_u64(number as u64)
                } else {
                    Err(E::invalid_value(Unexpected::Float(number), &self))
                }
            }
        }

        deserializer.deserialize_u64(Number)
    }
}

/// Any bytes; escaped where they are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Text<'a>(pub(super) Cow<'a, [u8]>);

impl<'a> Text<'a> {
    pub(super) fn new(bytes: &'a (impl AsRef<[u8]> + ?Sized)) -> Self {
        Self(Cow::Borrowed(bytes.as_ref()))
    }

    /// The bytes, to be kept.
    pub(super) fn shared(&self) -> Arc<[u8]> {
        self.0.as_ref().into()
    }

    /// As text, for what is always UTF-8 when it is written.
    pub(super) fn into_string(self) -> String {
        String::from_utf8_lossy(&self.0).into_owned()
    }
}

impl<'a> From<Cow<'a, str>> for Text<'a> {
    fn from(text: Cow<'a, str>) -> Self {
        Self(match text {
            Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
            Cow::Owned(text) => Cow::Owned(text.into_bytes()),
        })
    }
}

impl Serialize for Text<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&escape(&self.0))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Escaped;

        impl<'de> Visitor<'de> for Escaped {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Text<'de>, E> {
                // Without a backslash there is no escape; behind one, JSON's parser does not borrow.
                Ok(Text(Cow::Borrowed(text.as_bytes())))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(unescape(text))))
            }
        }

        deserializer.deserialize_str(Escaped)
    }
}

/// Arguments, as a list of texts.
#[derive(Clone, Debug)]
pub(super) struct Args(pub(super) Argv);

impl Serialize for Args {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(Text::new))
    }
}

impl<'de> Deserialize<'de> for Args {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Texts;

        impl<'de> Visitor<'de> for Texts {
            type Value = Args;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of strings")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut texts: A) -> Result<Args, A::Error> {
                let mut bytes = Vec::new();
                while let Some(Text(arg)) = texts.next_element()? {
                    if arg.contains(&0) {
                        return Err(A::Error::custom("an argument with a NUL in it"));
                    }
                    bytes.extend_from_slice(&arg);
                    bytes.push(0);
                }
                Ok(Args(Argv::from_nul_terminated(&bytes)))
            }
        }

        deserializer.deserialize_seq(Texts)
    }
}
