//! Where the tables of the picture stand: what is referred to is left of what refers to it.

use super::Diagram;

/// Measures, in pixels.
pub(super) const WIDTH: u32 = 230;
pub(super) const HEAD: u32 = 30;
pub(super) const LINE: u32 = 20;
const GAP_X: u32 = 96;
const GAP_Y: u32 = 26;
const MARGIN: u32 = 24;

/// A table's place; its lines are those of `lines`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Card {
    pub x: u32,
    pub y: u32,
    pub height: u32,
}

/// The places of all entities, and the size of the whole.
pub(super) struct Layout {
    pub cards: Vec<Card>,
    pub width: u32,
    pub height: u32,
}

/// The height of a card with so many lines.
pub(super) fn height(lines: usize) -> u32 {
    HEAD + LINE * u32::try_from(lines).unwrap_or(u32::MAX / LINE / 2) + 8
}

/// Places cards of these heights.
pub(super) fn layout(diagram: &Diagram<'_>, heights: &[u32]) -> Layout {
    let is_linked = |place: usize| {
        let mut links = diagram.links.iter();
        links.any(|link| link.child != link.parent && (link.child == place || link.parent == place))
    };
    let ranks = ranks(diagram);
    let (linked, alone): (Vec<usize>, Vec<usize>) =
        (0..heights.len()).partition(|place| is_linked(*place));
    // About as high as the picture is wide, so that it fits a screen.
    let area: u64 = heights
        .iter()
        .map(|height| u64::from(height + GAP_Y) * u64::from(WIDTH + GAP_X))
        .sum();
    let tallest = ((area as f64).sqrt() * 0.8) as u32;
    let tallest = tallest.max(420);
    let mut columns: Vec<Vec<usize>> = Vec::new();
    let last = linked.iter().map(|place| ranks[*place]).max().unwrap_or(0);
    for rank in 0..=last {
        let mut members: Vec<usize> = linked
            .iter()
            .copied()
            .filter(|place| ranks[*place] == rank)
            .collect();
        order(diagram, &mut members, &columns);
        columns.extend(split(&members, heights, tallest));
    }
    let mut cards = vec![
        Card {
            x: 0,
            y: 0,
            height: 0
        };
        heights.len()
    ];
    let (mut x, mut bottom) = (MARGIN, MARGIN);
    let total =
        |column: &[usize]| -> u32 { column.iter().map(|place| heights[*place] + GAP_Y).sum() };
    let highest = columns
        .iter()
        .map(|column| total(column))
        .max()
        .unwrap_or(0);
    for column in columns.iter().filter(|column| !column.is_empty()) {
        // In the middle, since most lines meet there.
        let mut y = MARGIN + (highest - total(column)) / 2;
        for place in column {
            cards[*place] = Card {
                x,
                y,
                height: heights[*place],
            };
            y += heights[*place] + GAP_Y;
            bottom = bottom.max(y);
        }
        x += WIDTH + GAP_X;
    }
    let width = below(&mut cards, &alone, heights, x, &mut bottom);
    Layout {
        cards,
        width,
        height: bottom + MARGIN,
    }
}

/// Those without links stand in rows below; gives the width of the whole.
fn below(
    cards: &mut [Card],
    alone: &[usize],
    heights: &[u32],
    right: u32,
    bottom: &mut u32,
) -> u32 {
    const GAP: u32 = 28;
    let limit = right.max(4 * (WIDTH + GAP) + MARGIN);
    let (mut x, mut widest, mut row) = (MARGIN, right, 0);
    for place in alone {
        if x + WIDTH > limit {
            x = MARGIN;
            *bottom += row + GAP_Y;
            row = 0;
        }
        cards[*place] = Card {
            x,
            y: *bottom,
            height: heights[*place],
        };
        row = row.max(heights[*place]);
        x += WIDTH + GAP;
        widest = widest.max(x);
    }
    *bottom += row;
    widest - GAP.min(widest) + MARGIN
}

/// How many tables stand between one and those that refer to nothing; a cycle is cut where it is first met again.
fn ranks(diagram: &Diagram<'_>) -> Vec<usize> {
    let count = diagram.entities.len();
    let mut ranks = vec![0; count];
    // Each round moves a table right of its parents; a cycle would move for ever, so the rounds are bounded.
    for _ in 0..count.min(12) {
        let mut moved = false;
        for link in diagram
            .links
            .iter()
            .filter(|link| link.child != link.parent)
        {
            let is_cycle = diagram
                .links
                .iter()
                .any(|other| other.child == link.parent && other.parent == link.child)
                && link.child < link.parent;
            if !is_cycle && ranks[link.child] <= ranks[link.parent] {
                ranks[link.child] = ranks[link.parent] + 1;
                moved = true;
            }
        }
        if !moved {
            break;
        }
    }
    ranks
}

/// Puts each near what it refers to, so that lines cross little.
fn order(diagram: &Diagram<'_>, members: &mut [usize], columns: &[Vec<usize>]) {
    let height_of = |place: usize| {
        columns
            .iter()
            .find_map(|column| column.iter().position(|other| *other == place))
    };
    members.sort_by_key(|place| {
        let parents: Vec<usize> = diagram
            .links
            .iter()
            .filter(|link| link.child == *place)
            .filter_map(|link| height_of(link.parent))
            .collect();
        let children = diagram
            .links
            .iter()
            .filter(|link| link.parent == *place)
            .count();
        let middle = if parents.is_empty() {
            0
        } else {
            1000 * parents.iter().sum::<usize>() / parents.len()
        };
        // Of the first column, the most wanted first.
        (middle, usize::MAX - children, *place)
    });
}

/// Columns of which none is higher than asked, unless a single card is.
fn split(members: &[usize], heights: &[u32], tallest: u32) -> Vec<Vec<usize>> {
    let total: u32 = members.iter().map(|place| heights[*place] + GAP_Y).sum();
    let parts = total.div_ceil(tallest).max(1);
    let share = total / parts + 1;
    let mut columns: Vec<Vec<usize>> = vec![Vec::new()];
    let mut filled = 0;
    for place in members {
        let needed = heights[*place] + GAP_Y;
        if filled > 0 && filled + needed / 2 > share {
            columns.push(Vec::new());
            filled = 0;
        }
        if let Some(column) = columns.last_mut() {
            column.push(*place);
        }
        filled += needed;
    }
    columns
}
