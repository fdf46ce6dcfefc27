//! Occupancy over abandonment as a picture (SVG): a panel a scenario, the lines of the frontier, a dot
//! for each other policy.

use super::Row;
use std::fmt::Write as _;

/// Width and height of a panel, px.
const PANEL: (f64, f64) = (360.0, 280.0);
/// Space around a panel's field: left, top, right, bottom, px.
const SPACE: (f64, f64, f64, f64) = (46.0, 34.0, 14.0, 40.0);
/// Panels side by side.
const COLUMNS: usize = 3;
/// Height of the legend, px.
const LEGEND: f64 = 34.0;
/// Most abandonment shown, share.
const ABANDONED_MAX: f64 = 0.06;
/// Colours of policies in order of appearance; apart from each other for the colour-blind, too.
const COLOURS: [&str; 8] = [
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#6a4c93", "#444444",
];
/// Grid, axes and small text.
const GREY: [&str; 2] = ["#e3e3e3", "#555555"];

/// Family of a policy: a tuned or levelled one has one colour at every level.
fn family(policy: &str) -> &str {
    policy.split([':', ' ']).next().unwrap_or(policy)
}

/// A panel's field in the picture.
struct Field {
    left: f64,
    top: f64,
    low: f64,
}

impl Field {
    fn width() -> f64 {
        PANEL.0 - SPACE.0 - SPACE.2
    }
    fn height() -> f64 {
        PANEL.1 - SPACE.1 - SPACE.3
    }
    fn x(&self, abandoned: f64) -> f64 {
        self.left + abandoned.min(ABANDONED_MAX) / ABANDONED_MAX * Self::width()
    }
    fn y(&self, occupancy: f64) -> f64 {
        self.top + (1.0 - occupancy) / (1.0 - self.low) * Self::height()
    }
}

fn axes(text: &mut String, field: &Field, name: &str) {
    let (right, bottom) = (field.left + Field::width(), field.top + Field::height());
    let _ = writeln!(
        text,
        "<text x=\"{}\" y=\"{:.0}\" font-weight=\"bold\" font-size=\"12\">{}</text><text x=\"{right}\" y=\"{:.0}\" text-anchor=\"end\" fill=\"{}\">occupancy, %</text>",
        field.left,
        field.top - 12.0,
        plain(name),
        field.top - 12.0,
        GREY[1]
    );
    let mut share = field.low;
    while share < 1.0 + 1e-9 {
        let y = field.y(share);
        let _ = writeln!(
            text,
            "<path d=\"M{} {y:.1}H{right}\" stroke=\"{}\"/><text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{:.0}</text>",
            field.left,
            GREY[0],
            field.left - 6.0,
            y + 4.0,
            100.0 * share
        );
        share += 0.1;
    }
    for percent in 0..=6_u8 {
        let x = field.x(f64::from(percent) / 100.0);
        let (colour, dash) = if percent == 3 {
            (GREY[1], " stroke-dasharray=\"4 3\"")
        } else {
            (GREY[0], "")
        };
        let _ = writeln!(
            text,
            "<path d=\"M{x:.1} {}V{bottom}\" stroke=\"{colour}\"{dash}/><text x=\"{x:.1}\" y=\"{:.0}\" text-anchor=\"middle\">{percent}</text>",
            field.top,
            bottom + 14.0
        );
    }
    let _ = writeln!(
        text,
        "<text x=\"{right}\" y=\"{:.0}\" text-anchor=\"end\" fill=\"{}\">abandoned, % of live answers</text>",
        bottom + 30.0,
        GREY[1]
    );
}

fn line(text: &mut String, field: &Field, rows: &[&Row], colour: &str) {
    let mut points: Vec<(f64, f64)> = rows
        .iter()
        .filter(|r| r.abandonment <= ABANDONED_MAX)
        .map(|r| (field.x(r.abandonment), field.y(r.occupancy.0)))
        .collect();
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    let path: Vec<String> = points
        .iter()
        .map(|p| format!("{:.1} {:.1}", p.0, p.1))
        .collect();
    if path.len() > 1 {
        let _ = writeln!(
            text,
            "<path d=\"M{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\" stroke-linejoin=\"round\"/>",
            path.join("L")
        );
    }
}

fn dot(text: &mut String, field: &Field, row: &Row, colour: &str) {
    let y = field.y(row.occupancy.0);
    let (from, to) = row.abandonment_interval;
    let _ = writeln!(
        text,
        "<path d=\"M{:.1} {y:.1}H{:.1}\" stroke=\"{colour}\" stroke-opacity=\"0.5\"/><circle cx=\"{:.1}\" cy=\"{y:.1}\" r=\"4\" fill=\"{colour}\" stroke=\"white\"><title>{} {}: occupancy {:.1} %, abandoned {:.2} %</title></circle>",
        field.x(from),
        field.x(to),
        field.x(row.abandonment),
        plain(&row.scenario),
        plain(&row.policy),
        100.0 * row.occupancy.0,
        100.0 * row.abandonment
    );
}

/// The picture. `rows`: policies compared, of which those without the hard stop are shown; `lines`: runs
/// of [`super::frontier`].
#[must_use]
pub fn svg(rows: &[Row], lines: &[Row]) -> String {
    let free: Vec<&Row> = rows.iter().filter(|r| !r.hard_stop).collect();
    let mut scenarios: Vec<&str> = Vec::new();
    let mut names: Vec<&str> = Vec::new();
    for row in free.iter().copied().chain(lines) {
        if !scenarios.contains(&row.scenario.as_str()) {
            scenarios.push(&row.scenario);
        }
        let name = family(&row.policy);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let colour = |policy: &str| {
        let at = names.iter().position(|n| *n == family(policy));
        COLOURS[at.unwrap_or(0) % COLOURS.len()]
    };
    let columns = scenarios.len().clamp(1, COLUMNS);
    let down = scenarios.len().div_ceil(columns);
    let (width, height) = (PANEL.0 * f64_of(columns), LEGEND + PANEL.1 * f64_of(down));
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" font-family=\"sans-serif\" font-size=\"11\" role=\"img\">\n<title>Occupancy (%) over abandonment, without the hard stop; dashed: 3 %</title>\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
    );
    let mut at = SPACE.0;
    for name in &names {
        let _ = writeln!(
            text,
            "<circle cx=\"{at:.0}\" cy=\"18\" r=\"5\" fill=\"{}\"/><text x=\"{:.0}\" y=\"22\" font-size=\"12\">{}</text>",
            colour(name),
            at + 10.0,
            plain(name)
        );
        at += 34.0 + 7.0 * f64_of(name.len());
    }
    for (n, scenario) in scenarios.iter().enumerate() {
        let ours: Vec<&Row> = free
            .iter()
            .copied()
            .filter(|r| r.scenario == *scenario)
            .collect();
        let sweep: Vec<&Row> = lines.iter().filter(|r| r.scenario == *scenario).collect();
        let shown = ours
            .iter()
            .chain(&sweep)
            .filter(|r| r.abandonment <= ABANDONED_MAX);
        let least = shown.map(|r| r.occupancy.0).fold(0.9, f64::min);
        let field = Field {
            left: f64_of(n % columns) * PANEL.0 + SPACE.0,
            top: LEGEND + f64_of(n / columns) * PANEL.1 + SPACE.1,
            low: ((least * 10.0).floor() / 10.0).max(0.0),
        };
        axes(&mut text, &field, scenario);
        for name in &names {
            let of: Vec<&Row> = sweep
                .iter()
                .copied()
                .filter(|r| family(&r.policy) == *name)
                .collect();
            line(&mut text, &field, &of, colour(name));
        }
        for row in ours {
            dot(&mut text, &field, row, colour(&row.policy));
        }
    }
    text.push_str("</svg>\n");
    text
}

#[expect(clippy::cast_precision_loss, reason = "a small count")]
const fn f64_of(n: usize) -> f64 {
    n as f64
}

fn plain(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
