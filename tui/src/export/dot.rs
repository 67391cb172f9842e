//! placeholder until the screen branch lands
use super::Scope;
use std::io::{self, Write};
/// x
/// # Errors
/// x
pub fn write_dot(_out: &mut impl Write, _scope: &Scope<'_>) -> io::Result<()> {
    Ok(())
}
