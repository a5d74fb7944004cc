//! One self-contained page: the picture, and under it each table with all that is known of it.

use super::layout::{HEAD, LINE, WIDTH, height, layout};
use super::{Diagram, Entity};
use bowline_catalog::{Column, Fill, Name, Relation, RelationKind, TypeKind};

/// The page. Whatever a name or comment holds stands in it as text.
pub(crate) fn html(diagram: &Diagram<'_>, title: &str) -> String {
    let title = escape(title);
    let tables = diagram.entities.len();
    let links = diagram.links.len();
    let names: String = diagram
        .entities
        .iter()
        .enumerate()
        .map(|(place, entity)| {
            let name = escape(&shown(&entity.relation.name));
            format!("<li><a href=\"#t{place}\" data-table=\"{place}\">{name}</a></li>")
        })
        .collect();
    let details: String = (0..tables).map(|place| details(diagram, place)).collect();
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>{title}</title>\n\
         <style>\n{}</style>\n\
         <nav><h1>{title}</h1><p>{} · {}</p>\
         <input type=\"search\" placeholder=\"Find a table\" aria-label=\"Find a table\"><ul>{names}</ul></nav>\n\
         <main>\n<div id=\"stage\"><div id=\"tools\"><button data-zoom=\"1.25\" title=\"larger\">+</button>\
         <button data-zoom=\"0.8\" title=\"smaller\">−</button><button data-zoom=\"fit\" title=\"the whole\">fit</button></div>\n\
         <div id=\"picture\">{}</div></div>\n{details}{}</main>\n<script>\n{}</script>\n</html>\n",
        include_str!("page.css"),
        crate::ui::counted(tables, "table"),
        crate::ui::counted(links, "foreign key"),
        picture(diagram),
        enums(diagram),
        include_str!("page.js"),
    )
}

fn shown(name: &Name) -> String {
    if name.schema == "public" {
        name.name.clone()
    } else {
        format!("{}.{}", name.schema, name.name)
    }
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // These would turn the text around them.
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {}
            other => out.push(other),
        }
    }
    out
}

/// The columns that a card shows: those of keys. The others are counted.
fn key_columns<'a>(diagram: &Diagram<'a>, place: usize) -> Vec<&'a Column> {
    let relation = diagram.entities[place].relation;
    let columns = relation.columns.iter();
    columns
        .filter(|column| {
            is_primary(relation, &column.name) || is_foreign(diagram, place, &column.name)
        })
        .collect()
}

fn is_primary(relation: &Relation, column: &str) -> bool {
    let key = relation.primary_key().unwrap_or_default();
    key.iter().any(|key| key == column)
}

fn is_foreign(diagram: &Diagram<'_>, place: usize, column: &str) -> bool {
    let mut links = diagram.links.iter();
    links.any(|link| link.child == place && link.columns.iter().any(|key| key == column))
}

fn picture(diagram: &Diagram<'_>) -> String {
    let columns: Vec<Vec<&Column>> = (0..diagram.entities.len())
        .map(|place| key_columns(diagram, place))
        .collect();
    let heights: Vec<u32> = diagram
        .entities
        .iter()
        .zip(&columns)
        .map(|(entity, columns)| {
            let has_rest = entity.relation.columns.len() > columns.len();
            height(columns.len() + usize::from(has_rest))
        })
        .collect();
    let layout = layout(diagram, &heights);
    let mut lines = String::new();
    for link in &diagram.links {
        let (child, parent) = (layout.cards[link.child], layout.cards[link.parent]);
        let line = columns[link.child]
            .iter()
            .position(|column| link.columns.contains(&column.name));
        let line = u32::try_from(line.unwrap_or(0)).unwrap_or(0);
        let from_y = child.y + HEAD + LINE * line + LINE / 2 + 2;
        let to_y = parent.y + HEAD / 2;
        let path = if link.child == link.parent {
            let x = child.x + WIDTH;
            format!("M{x} {from_y}C{0} {from_y} {0} {to_y} {x} {to_y}", x + 44)
        } else if child.x > parent.x {
            let (from, to) = (child.x, parent.x + WIDTH);
            let bend = ((from - to) / 2).clamp(40, 140);
            format!(
                "M{from} {from_y}C{} {from_y} {} {to_y} {to} {to_y}",
                from - bend,
                to + bend
            )
        } else {
            // Beside or left of what it refers to: around the right side.
            let (from, to) = (child.x + WIDTH, parent.x + WIDTH);
            let bend = from.max(to) + 60;
            format!("M{from} {from_y}C{bend} {from_y} {bend} {to_y} {to} {to_y}")
        };
        let kind = if link.is_required {
            "required"
        } else {
            "optional"
        };
        lines.push_str(&format!(
            "<path class=\"{kind}\" data-child=\"{}\" data-parent=\"{}\" d=\"{path}\" marker-end=\"url(#end)\"/>",
            link.child, link.parent
        ));
    }
    let cards: String = (0..diagram.entities.len())
        .map(|place| {
            let card = layout.cards[place];
            format!(
                "<foreignObject x=\"{}\" y=\"{}\" width=\"{WIDTH}\" height=\"{}\">{}</foreignObject>",
                card.x,
                card.y,
                card.height,
                self::card(diagram, place, &columns[place])
            )
        })
        .collect();
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0} {1}\" width=\"{0}\" height=\"{1}\">\
         <defs><marker id=\"end\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" orient=\"auto\">\
         <path d=\"M0 0L8 4L0 8Z\"/></marker></defs><g id=\"links\">{lines}</g>{cards}</svg>",
        layout.width, layout.height
    )
}

fn card(diagram: &Diagram<'_>, place: usize, columns: &[&Column]) -> String {
    let relation = diagram.entities[place].relation;
    let lines: String = columns
        .iter()
        .map(|column| {
            format!(
                "<span class=\"line\">{}<b>{}</b><i>{}</i></span>",
                badges(diagram, place, &column.name),
                escape(&column.name),
                escape(&column.data_type.sql())
            )
        })
        .collect();
    let rest = relation.columns.len() - columns.len();
    let rest = match (rest, columns.len()) {
        (0, _) => String::new(),
        (rest, 0) => crate::ui::counted(rest, "column"),
        (rest, _) => format!("{} more", crate::ui::counted(rest, "column")),
    };
    let tip = relation.comment.as_deref().map(escape).unwrap_or_default();
    format!(
        "<a xmlns=\"http://www.w3.org/1999/xhtml\" class=\"card {}\" href=\"#t{place}\" data-table=\"{place}\" title=\"{tip}\">\
         <span class=\"name\">{}</span>{lines}<span class=\"rest\">{rest}</span></a>",
        kind(relation).0,
        escape(&shown(&relation.name))
    )
}

fn kind(relation: &Relation) -> (&'static str, &'static str) {
    match relation.kind {
        RelationKind::View => ("view", "view"),
        RelationKind::MaterializedView => ("view", "materialized view"),
        RelationKind::ForeignTable => ("view", "foreign table"),
        RelationKind::PartitionedTable => ("table", "partitioned table"),
        _ => ("table", "table"),
    }
}

fn badges(diagram: &Diagram<'_>, place: usize, column: &str) -> String {
    let relation = diagram.entities[place].relation;
    let mut out = String::new();
    if is_primary(relation, column) {
        out.push_str("<em class=\"pk\" title=\"primary key\">PK</em>");
    }
    if is_foreign(diagram, place, column) {
        out.push_str("<em class=\"fk\" title=\"foreign key\">FK</em>");
    }
    out
}

/// A table with all that is known of it.
fn details(diagram: &Diagram<'_>, place: usize) -> String {
    let entity = &diagram.entities[place];
    let relation = entity.relation;
    let comment = relation
        .comment
        .as_deref()
        .map_or(String::new(), |comment| {
            format!("<p class=\"comment\">{}</p>", escape(comment))
        });
    let rows: String = relation
        .columns
        .iter()
        .map(|column| row(diagram, place, column))
        .collect();
    let constraints = relation.constraints.iter().map(|constraint| {
        let definition = constraint.sql(&relation.indexes);
        (&constraint.name, definition, constraint.comment.as_deref())
    });
    let of_constraint = |name: &str| {
        let mut constraints = relation.constraints.iter();
        constraints.any(|constraint| constraint.name == name)
    };
    let indexes = relation
        .indexes
        .iter()
        .filter(|index| !of_constraint(&index.name))
        .map(|index| {
            let definition = index.sql(&relation.name);
            let start = definition.find(" USING ").map_or(0, |at| at + 1);
            let unique = if index.unique { "UNIQUE " } else { "" };
            let definition = format!("{unique}INDEX {}", &definition[start..]);
            (&index.name, definition, index.comment.as_deref())
        });
    let rules: String = constraints
        .chain(indexes)
        .map(|(name, definition, comment)| {
            let comment = comment.map_or(String::new(), |comment| {
                format!(" <q>{}</q>", escape(comment))
            });
            format!(
                "<li><code>{}</code> {}{comment}</li>",
                escape(name),
                escape(&definition)
            )
        })
        .collect();
    let mut children: Vec<usize> = diagram
        .links
        .iter()
        .filter(|link| link.parent == place)
        .map(|link| link.child)
        .collect();
    children.dedup();
    let children: Vec<String> = children
        .into_iter()
        .map(|child| link_to(diagram, child))
        .collect();
    let children = if children.is_empty() {
        String::new()
    } else {
        format!(
            "<p class=\"from\">Referred to by {}</p>",
            children.join(", ")
        )
    };
    let rules = if rules.is_empty() {
        rules
    } else {
        format!("<ul class=\"rules\">{rules}</ul>")
    };
    format!(
        "<section id=\"t{place}\"><h2>{}</h2><p class=\"facts\">{}</p>{comment}\
         <table><thead><tr><th>column<th>type<th>null<th>default<th>refers to<th>comment</tr></thead><tbody>{rows}</tbody></table>\
         {rules}{children}</section>\n",
        escape(&shown(&relation.name)),
        facts(entity)
    )
}

fn facts(entity: &Entity<'_>) -> String {
    let mut facts = vec![kind(entity.relation).1.to_owned()];
    if let Some(by) = &entity.relation.partition_by {
        facts.push(format!("partitioned by <code>{}</code>", escape(by)));
    }
    if entity.partitions > 0 {
        facts.push(crate::ui::counted(entity.partitions, "partition"));
    }
    if let Some(migration) = entity.changed_by {
        facts.push(format!(
            "last changed by <code>{}</code>",
            escape(migration)
        ));
    }
    facts.join(" · ")
}

fn link_to(diagram: &Diagram<'_>, place: usize) -> String {
    let name = escape(&shown(&diagram.entities[place].relation.name));
    format!("<a href=\"#t{place}\">{name}</a>")
}

fn row(diagram: &Diagram<'_>, place: usize, column: &Column) -> String {
    let parents: Vec<String> = diagram
        .links
        .iter()
        .filter(|link| link.child == place && link.columns.contains(&column.name))
        .map(|link| link_to(diagram, link.parent))
        .collect();
    let fill = match &column.fill {
        Fill::Nothing => String::new(),
        Fill::Serial { .. } => "counted".to_owned(),
        other => other.sql(),
    };
    let null = if column.not_null { "" } else { "null" };
    format!(
        "<tr><td>{}<b>{}</b><td><code>{}</code><td>{null}<td><code>{}</code><td>{}<td>{}</tr>",
        badges(diagram, place, &column.name),
        escape(&column.name),
        type_of(diagram, column),
        escape(&fill),
        parents.join(", "),
        column.comment.as_deref().map(escape).unwrap_or_default()
    )
}

/// The type, which for an enum leads to its labels.
fn type_of(diagram: &Diagram<'_>, column: &Column) -> String {
    let sql = escape(&column.data_type.sql());
    match enum_place(diagram, &column.data_type.name) {
        Some(place) => format!("<a href=\"#e{place}\">{sql}</a>"),
        None => sql,
    }
}

fn enum_place(diagram: &Diagram<'_>, name: &Name) -> Option<usize> {
    let mut enums = diagram
        .catalog
        .types
        .values()
        .filter(|found| matches!(found.kind, TypeKind::Enum { .. }));
    enums.position(|found| found.name == *name)
}

fn enums(diagram: &Diagram<'_>) -> String {
    let mut out = String::new();
    let mut place = 0;
    for found in diagram.catalog.types.values() {
        let TypeKind::Enum { labels } = &found.kind else {
            continue;
        };
        let labels: Vec<String> = labels
            .iter()
            .map(|label| format!("<code>{}</code>", escape(label)))
            .collect();
        let comment = found.comment.as_deref().map_or(String::new(), |comment| {
            format!("<p class=\"comment\">{}</p>", escape(comment))
        });
        out.push_str(&format!(
            "<section id=\"e{place}\"><h2>{}</h2><p class=\"facts\">enum</p>{comment}<p>{}</p></section>\n",
            escape(&shown(&found.name)),
            labels.join(" ")
        ));
        place += 1;
    }
    out
}
