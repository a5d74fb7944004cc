//! Mermaid's `erDiagram`, which many viewers of Markdown draw.

use bowline_catalog::{ConstraintKind, Relation};

use super::Diagram;

/// Returns the text of the diagram.
pub(crate) fn mermaid(diagram: &Diagram<'_>) -> String {
    let mut out = "erDiagram\n".to_owned();
    for (index, relation) in diagram.relations.iter().enumerate() {
        out.push_str(&format!("    {} {{\n", declared(index, relation)));
        for column in &relation.columns {
            let comment = column.comment.as_deref().map(text).unwrap_or_default();
            let line = format!(
                "        {} {}{}{comment}",
                word(&column.data_type.sql()),
                word(&column.name),
                keys(diagram, index, &column.name)
            );
            out.push_str(&format!("{line}\n"));
        }
        out.push_str("    }\n");
    }
    for link in &diagram.links {
        let parent = if link.is_required { "||" } else { "|o" };
        let child = if link.is_unique { "o|" } else { "o{" };
        out.push_str(&format!(
            "    {} {parent}--{child} {} :{}\n",
            name(link.parent, diagram.relations[link.parent]),
            name(link.child, diagram.relations[link.child]),
            text(&link.columns.join(", "))
        ));
    }
    out
}

/// Returns the identifier of a table: its own name if Mermaid accepts it.
fn name(index: usize, relation: &Relation) -> String {
    let name = &relation.name;
    if name.schema == "public" && word(&name.name) == name.name {
        name.name.clone()
    } else {
        format!("t{index}")
    }
}

/// Returns the identifier of a table, with its full name if they differ.
fn declared(index: usize, relation: &Relation) -> String {
    let local = name(index, relation);
    if local == relation.name.name {
        local
    } else {
        let shown = relation.name.sql();
        format!("{local}[{}]", text(&shown).trim())
    }
}

/// Returns the kinds of keys that a column is part of.
fn keys(diagram: &Diagram<'_>, index: usize, column: &str) -> String {
    let relation = diagram.relations[index];
    let primary = relation.primary_key().unwrap_or_default();
    let mut keys = Vec::new();
    if primary.iter().any(|key| key == column) {
        keys.push("PK");
    }
    let mut links = diagram.links.iter();
    if links.any(|link| link.child == index && link.columns.iter().any(|key| key == column)) {
        keys.push("FK");
    }
    let is_unique = relation.constraints.iter().any(|constraint| {
        matches!(&constraint.kind, ConstraintKind::Unique { columns, .. } if columns.as_slice() == [column])
    });
    if is_unique {
        keys.push("UK");
    }
    if keys.is_empty() {
        String::new()
    } else {
        format!(" {}", keys.join(", "))
    }
}

/// Returns a name or type in the characters that Mermaid accepts: letters, digits and a few signs.
fn word(text: &str) -> String {
    let word: String = text
        .chars()
        .map(|c| match c {
            c if c.is_ascii_alphanumeric() || "_()[]".contains(c) => c,
            _ => '_',
        })
        .collect();
    if word.starts_with(|c: char| c.is_ascii_alphabetic()) {
        word
    } else {
        format!("_{word}")
    }
}

/// Returns a text in quotes, on one line.
fn text(text: &str) -> String {
    let clean = text
        .replace('"', "'")
        .replace(|c: char| c.is_control(), " ");
    format!(" \"{clean}\"")
}
