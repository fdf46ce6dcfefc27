//! From any usual rate to 8 kHz, once, when a prompt is loaded: windowed-sinc, so that what lies
//! above 4 kHz does not fold into the voice.

use crate::RATE_HZ;

/// Zero crossings kept on each side of the filter: about 60 dB of stop band under a Hann window.
const CROSSINGS: f64 = 16.0;

/// Samples at `rate` brought to 8 kHz.
pub(crate) fn to_8k(samples: &[f64], rate: u32) -> Vec<f64> {
    if rate == RATE_HZ || samples.is_empty() {
        return samples.to_vec();
    }
    let ratio = f64::from(rate) / f64::from(RATE_HZ);
    let stretch = ratio.max(1.0);
    let reach = CROSSINGS * stretch;
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "prompt lengths are bounded"
    )]
    let count = (samples.len() as f64 / ratio) as usize;
    let mut out = Vec::with_capacity(count);
    for n in 0..count {
        #[expect(clippy::cast_precision_loss, reason = "prompt lengths are bounded")]
        let centre = n as f64 * ratio;
        out.push(at(samples, centre, reach, stretch));
    }
    out
}

fn at(samples: &[f64], centre: f64, reach: f64, stretch: f64) -> f64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped at 0, lengths are bounded"
    )]
    let first = (centre - reach).ceil().max(0.0) as usize;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "positive, lengths are bounded"
    )]
    let last = ((centre + reach).floor() as usize).min(samples.len() - 1);
    let (mut sum, mut weight) = (0.0, 0.0);
    for (i, sample) in samples.iter().enumerate().take(last + 1).skip(first) {
        #[expect(clippy::cast_precision_loss, reason = "prompt lengths are bounded")]
        let x = (i as f64 - centre) / stretch;
        let window = 0.5 + 0.5 * (std::f64::consts::PI * x / CROSSINGS).cos();
        let sinc = if x.abs() < 1e-9 {
            1.0
        } else {
            (std::f64::consts::PI * x).sin() / (std::f64::consts::PI * x)
        };
        sum += sample * sinc * window;
        weight += sinc * window;
    }
    if weight.abs() < 1e-9 {
        0.0
    } else {
        sum / weight
    }
}
