//! The section on columns: which are shown, and how wide.

use super::{COLUMNS as SECTION, Reader, Table, Value, nearest, quoted, shown};
use crate::column::{COLUMNS, Chosen, Column};

/// What may be said in the section.
const ENTRIES: [&str; 2] = ["show", "widths"];

impl Reader {
    pub(super) fn columns(&mut self, entries: &Table<'_>) {
        for (key, value) in entries.iter() {
            match key.get_ref().as_ref() {
                "show" => self.show(value),
                "widths" => self.widths(value),
                _ => self.unknown(&format!("setting in [{SECTION}] called"), key, ENTRIES.into_iter()),
            }
        }
    }

    fn show(&mut self, value: &Value<'_>) {
        let Some(items) = value.get_ref().as_array() else {
            let message = format!("{} for 'show': give a list, such as [\"pid\", \"cpu\"]", shown(value));
            return self.wrong(value.span(), message);
        };
        let mut columns = Vec::new();
        for item in items.iter() {
            let Some(name) = item.get_ref().as_str() else {
                self.wrong(item.span(), format!("{} is no column: write its name in quotes", shown(item)));
                continue;
            };
            match Column::named(name) {
                Some(column) if columns.contains(&column) => {
                    self.wrong(item.span(), format!("{} is given twice", quoted(name)));
                }
                Some(column) => columns.push(column),
                None if name == "command" => {
                    self.wrong(item.span(), "'command' is always there, and the last");
                }
                None => {
                    let near = nearest(name, COLUMNS.iter().map(|spec| spec.name));
                    self.wrong(item.span(), format!("there is no column called {}{near}", quoted(name)));
                }
            }
        }
        self.config.columns.show(columns);
    }

    fn widths(&mut self, value: &Value<'_>) {
        let Some(entries) = value.get_ref().as_table() else {
            let message = format!("{} for 'widths': give a table, such as {{ user = 12 }}", shown(value));
            return self.wrong(value.span(), message);
        };
        for (key, value) in entries.iter() {
            let Some(column) = Column::named(key.get_ref()) else {
                self.unknown("column called", key, COLUMNS.iter().map(|spec| spec.name));
                continue;
            };
            let n = value.get_ref().as_integer().and_then(|n| u16::from_str_radix(n.as_str(), n.radix()).ok());
            match n.filter(|n| Chosen::WIDTHS.contains(n)) {
                Some(width) => self.config.columns.set_width(column, width),
                None => {
                    let (least, most) = (Chosen::WIDTHS.start(), Chosen::WIDTHS.end());
                    let message =
                        format!("{} for '{}': give a width from {least} to {most}", shown(value), key.get_ref());
                    self.wrong(value.span(), message);
                }
            }
        }
    }
}
