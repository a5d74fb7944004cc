use bank::queries::accounts::{BrowsePage, BrowseRichestPosition};
use bowline::Page;

fn next(page: Page<BrowseRichestPosition>) -> BrowsePage {
    BrowsePage::Newest(page)
}

fn main() {
    let _ = next;
}
