//! The code blocks of the documentation, so that tests run what readers copy.

/// A fenced block.
#[derive(Clone, Debug)]
pub struct Block {
    /// The heading above it, without its marks.
    pub section: String,
    /// The word after the fence.
    pub language: String,
    /// The text between the fences.
    pub text: String,
}

/// A file of this repository.
#[track_caller]
pub fn page(path: &str) -> String {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(root.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The blocks of a page, in order.
pub fn blocks(page: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut section = String::new();
    let mut open: Option<Block> = None;
    for line in page.lines() {
        match (line.strip_prefix("```"), open.take()) {
            (Some(_), Some(block)) => blocks.push(block),
            (Some(language), None) => {
                open = Some(Block {
                    section: section.clone(),
                    language: language.to_owned(),
                    text: String::new(),
                });
            }
            (None, Some(mut block)) => {
                block.text.push_str(line);
                block.text.push('\n');
                open = Some(block);
            }
            (None, None) if line.starts_with('#') => {
                section = line.trim_start_matches(['#', ' ']).to_owned();
            }
            (None, None) => {}
        }
    }
    blocks
}

/// The block of a page below a heading, of a language; of several, that of `number`.
#[track_caller]
pub fn block(path: &str, section: &str, language: &str, number: usize) -> String {
    let all = blocks(&page(path));
    let mut found = all
        .into_iter()
        .filter(|block| block.section == section && block.language == language);
    let block = found.nth(number);
    block
        .unwrap_or_else(|| panic!("{path}: no block {number} of {language} below {section:?}"))
        .text
}
