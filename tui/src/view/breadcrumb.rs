//! The way from the root to a subtree that is shown alone, and whom the view follows.

use super::cells::cut;
use crate::app::App;
use crate::label;
use crate::measure::width as columns;

/// In at most `width` columns, where there is something to say; ancestors give way from the root on.
pub(super) fn trail(app: &App, width: usize) -> Option<String> {
    let followed = app.followed().and_then(|key| app.tree().get(key));
    let followed = followed.map(|process| format!("following {}", label::name_and_pid(process)));
    let Some(root) = app.focus().last().and_then(|&root| app.tree().get(root)) else {
        return followed.map(|followed| cut(&followed, width));
    };
    let mut trail = label::name_and_pid(root);
    if let Some(followed) = followed {
        trail += &format!(", {followed}");
    }
    for above in app.tree().ancestors(root.key, app.look().lineage) {
        let longer = format!("{} › {trail}", label::program(above));
        if columns(&longer) > width {
            let short = format!("… › {trail}");
            return Some(if columns(&short) > width { cut(&trail, width) } else { short });
        }
        trail = longer;
    }
    Some(cut(&trail, width))
}
