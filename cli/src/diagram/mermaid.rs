//! Mermaid's `erDiagram`, which many viewers of Markdown draw.

use super::{Diagram, Entity};
use bowline_catalog::ConstraintKind;

/// The text of the diagram.
pub(crate) fn mermaid(diagram: &Diagram<'_>) -> String {
    let mut out = "erDiagram\n".to_owned();
    for (place, entity) in diagram.entities.iter().enumerate() {
        out.push_str(&format!("    {} {{\n", declared(place, entity)));
        for column in &entity.relation.columns {
            let comment = column.comment.as_deref().map(text).unwrap_or_default();
            let line = format!(
                "        {} {}{}{comment}",
                word(&column.data_type.sql()),
                word(&column.name),
                keys(diagram, place, &column.name)
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
            name(link.parent, &diagram.entities[link.parent]),
            name(link.child, &diagram.entities[link.child]),
            text(&link.columns.join(", "))
        ));
    }
    out
}

/// How other lines name an entity: by its own name where Mermaid takes it.
fn name(place: usize, entity: &Entity<'_>) -> String {
    let name = &entity.relation.name;
    if name.schema == "public" && word(&name.name) == name.name {
        name.name.clone()
    } else {
        format!("t{place}")
    }
}

fn declared(place: usize, entity: &Entity<'_>) -> String {
    let own = name(place, entity);
    if own == entity.relation.name.name {
        own
    } else {
        let shown = entity.relation.name.sql();
        format!("{own}[{}]", text(&shown).trim())
    }
}

fn keys(diagram: &Diagram<'_>, place: usize, column: &str) -> String {
    let relation = diagram.entities[place].relation;
    let primary = relation.primary_key().unwrap_or_default();
    let mut keys = Vec::new();
    if primary.iter().any(|key| key == column) {
        keys.push("PK");
    }
    let mut links = diagram.links.iter();
    if links.any(|link| link.child == place && link.columns.iter().any(|key| key == column)) {
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

/// What Mermaid takes for a name or a type: letters, digits and a few signs.
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

/// A text in quotes, in one line.
fn text(text: &str) -> String {
    let clean = text
        .replace('"', "'")
        .replace(|c: char| c.is_control(), " ");
    format!(" \"{clean}\"")
}
