//! Where a field stands in a text: for errors that are found after reading.

/// Line, from 1, on which a field of a JSON text stands, by its path (`talk[1].wrap`); the line of the
/// last part that is found, the first one when none is. Good enough to send a person there: keys are
/// looked for in their order, in an array as often as its index says.
pub(super) fn line_of(text: &str, path: &str) -> usize {
    let mut at = 0;
    let mut times = 1;
    for part in path.split('.') {
        let (key, index) = part.split_once('[').unwrap_or((part, ""));
        let quoted = format!("\"{key}\"");
        for _ in 0..times {
            let Some(found) = text[at..].find(&quoted) else {
                return line(text, at);
            };
            at += found + quoted.len();
        }
        let index = index.trim_end_matches(']').parse::<usize>();
        times = index.map_or(1, |n| n + 1);
    }
    line(text, at)
}

fn line(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_of_a_field_by_its_path() {
        let text = "{\n\"a\": {\n \"n\": 1},\n\"t\": [\n{\"w\": 1},\n{\"w\": 2}\n],\n\"n\": 3}";
        for (path, line) in [("a.n", 3), ("t", 4), ("t[1].w", 6), ("n", 3), ("none", 1)] {
            assert_eq!(line_of(text, path), line, "{path}");
        }
    }
}
