//! Tone plans as data: what busy, congestion and ring-back sound like in the countries dialed.
//!
//! Source: ITU-T E.180 supplement 2 as remembered. Several countries share their frequencies and differ
//! by cadence alone, and exchanges keep neither to the percent: hence the wide tolerances.

/// What a cadence says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// The number called is in use.
    Busy,
    /// No way through (reorder, fast busy).
    Congestion,
    /// It rings at the far end.
    RingBack,
}

/// One tone of one country.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Row {
    /// Countries, ISO 3166 alpha-2.
    pub countries: &'static [&'static str],
    /// What it says.
    pub signal: Signal,
    /// Frequencies, Hz; the second 0 where there is one.
    pub hz: [f32; 2],
    /// On, ms.
    pub on_ms: u32,
    /// Off, ms.
    pub off_ms: u32,
}

const fn row(
    countries: &'static [&'static str],
    signal: Signal,
    hz: [f32; 2],
    on_ms: u32,
    off_ms: u32,
) -> Row {
    Row {
        countries,
        signal,
        hz,
        on_ms,
        off_ms,
    }
}

use Signal::{Busy, Congestion, RingBack};

/// The rows; where two fit alike the first is meant.
pub const ROWS: &[Row] = &[
    row(&["MX", "CO", "PE", "BR"], Busy, [425.0, 0.0], 250, 250),
    row(&["ES"], Busy, [425.0, 0.0], 200, 200),
    row(&["AR"], Busy, [425.0, 0.0], 300, 200),
    row(&["EC", "GT", "SV"], Busy, [425.0, 0.0], 330, 330),
    row(&["VE", "BO", "UY", "PY"], Busy, [425.0, 0.0], 500, 500),
    row(&["CL"], Busy, [400.0, 0.0], 500, 500),
    row(&["GB"], Busy, [400.0, 0.0], 375, 375),
    row(&["US", "CA", "PR", "DO"], Busy, [480.0, 620.0], 500, 500),
    row(&["CL"], Congestion, [400.0, 0.0], 200, 200),
    row(
        &["US", "CA", "PR", "DO"],
        Congestion,
        [480.0, 620.0],
        250,
        250,
    ),
    row(&["EC"], RingBack, [425.0, 0.0], 1_200, 4_650),
    row(&["ES"], RingBack, [425.0, 0.0], 1_500, 3_000),
    row(&["CL"], RingBack, [400.0, 0.0], 1_000, 3_000),
    row(
        &["US", "CA", "PR", "DO"],
        RingBack,
        [460.0, 0.0],
        2_000,
        4_000,
    ),
    row(
        &["MX", "CO", "PE", "AR", "BR", "UY", "VE"],
        RingBack,
        [425.0, 0.0],
        1_000,
        4_000,
    ),
];

/// Frequencies may be off by this, Hz.
const HZ_OFF: f32 = 25.0;

/// The three steps of the special information tone (ITU-T E.180 §7; the segments of North America lie
/// within), Hz from and to.
pub const SIT_HZ: [[f32; 2]; 3] = [[890.0, 1_010.0], [1_340.0, 1_455.0], [1_740.0, 1_830.0]];

/// Answering tones of fax machines and modems: CED and ANSam 2,100 Hz (ITU-T T.30, V.8), 2,225 and
/// 2,250 Hz (V.22 and its forerunners), Hz from and to.
pub const FAX_HZ: [[f32; 2]; 2] = [[2_075.0, 2_125.0], [2_205.0, 2_275.0]];

/// Calling tone of a fax machine: 1,100 Hz for 0.5 s in 3.5 s (ITU-T T.30 §4).
pub const CNG_HZ: [f32; 2] = [1_080.0, 1_120.0];

/// True where the frequencies are those of some progress tone.
#[must_use]
pub fn is_progress(hz: [f32; 2]) -> bool {
    ROWS.iter().any(|row| same_hz(row, hz))
}

/// The row with these frequencies and this cadence.
#[must_use]
pub fn find(hz: [f32; 2], on_ms: u32, off_ms: u32) -> Option<&'static Row> {
    let off_by = |row: &Row| row.on_ms.abs_diff(on_ms) + row.off_ms.abs_diff(off_ms);
    ROWS.iter()
        .filter(|row| same_hz(row, hz) && off_by(row) <= 60 + (row.on_ms + row.off_ms) / 5)
        .min_by_key(|row| off_by(row))
}

fn same_hz(row: &Row, hz: [f32; 2]) -> bool {
    row.hz
        .iter()
        .zip(hz)
        .all(|(a, b)| (a - b).abs() <= HZ_OFF && (*a == 0.0) == (b == 0.0))
}

/// Two of the keys' frequencies at once (ITU-T Q.23): no tone of the network.
#[must_use]
pub fn is_key(hz: [f32; 2]) -> bool {
    let near = |f: f32, row: [f32; 4]| row.iter().any(|k| (f / k - 1.0).abs() < 0.025);
    near(hz[0], [697.0, 770.0, 852.0, 941.0]) && near(hz[1], [1_209.0, 1_336.0, 1_477.0, 1_633.0])
}

/// True where `hz` lies in the range.
#[must_use]
pub fn within(hz: f32, range: [f32; 2]) -> bool {
    hz >= range[0] && hz <= range[1]
}
