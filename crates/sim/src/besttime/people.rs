//! People and their hidden curves: a mixture of kinds of day with splines through random knots, of which
//! the model knows nothing.

use rand::Rng;

/// First hour of calling, local.
pub(super) const FIRST_HOUR: usize = 9;
/// Hours of calling a day.
pub(super) const HOURS: usize = 11;
/// Knots of a spline over the day.
const KNOTS: usize = 5;

/// What the world looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Curves {
    /// Everybody has his hours: kinds of person (office, home, shifts, seldom) times a spline of his own.
    Hidden,
    /// People differ, hours do not.
    FlatHours,
    /// Nothing differs: nobody can gain, an order may only lose.
    Flat,
}

/// One debtor.
#[derive(Debug, Clone)]
pub struct Person {
    /// Chance of a right-party contact by weekday half (workday, Saturday) and hour.
    chance: [[f64; HOURS]; 2],
    /// Days past due.
    pub dpd: u32,
    /// At stake, minor units.
    pub amount_minor: i64,
}

impl Person {
    /// The hidden chance at an hour (0 = the first of the window).
    #[must_use]
    pub fn chance(&self, saturday: bool, hour: usize) -> f64 {
        self.chance[usize::from(saturday)][hour]
    }
}

/// A cubic (Catmull-Rom) spline through random knots, in log scale.
fn spline(rng: &mut impl Rng, swing: f64) -> [f64; HOURS] {
    let knots: Vec<f64> = (0..KNOTS + 2)
        .map(|_| rng.random_range(-swing..swing))
        .collect();
    std::array::from_fn(|hour| {
        let x = hour as f64 / (HOURS - 1) as f64 * (KNOTS - 1) as f64;
        let mut left = 0;
        while left + 2 < KNOTS && x >= (left + 1) as f64 {
            left += 1;
        }
        let t = x - left as f64;
        let (a, b, c, d) = (
            knots[left],
            knots[left + 1],
            knots[left + 2],
            knots[left + 3],
        );
        0.5 * (2.0 * b
            + (c - a) * t
            + (2.0 * a - 5.0 * b + 4.0 * c - d) * t * t
            + (3.0 * b - a - 3.0 * c + d) * t * t * t)
    })
}

/// Kinds of person: base chance by hour on workdays, factor on Saturdays.
fn kind(rng: &mut impl Rng) -> ([f64; HOURS], f64) {
    match rng.random_range(0.0..1.0) {
        // At work by day, home from six.
        x if x < 0.45 => (
            [
                0.05, 0.04, 0.04, 0.05, 0.12, 0.07, 0.04, 0.05, 0.10, 0.28, 0.34,
            ],
            2.0,
        ),
        // At home in the morning.
        x if x < 0.70 => (
            [
                0.16, 0.28, 0.30, 0.22, 0.10, 0.08, 0.12, 0.14, 0.10, 0.07, 0.06,
            ],
            0.7,
        ),
        // Shifts: sleeps, then answers after noon.
        x if x < 0.85 => (
            [
                0.02, 0.02, 0.03, 0.06, 0.18, 0.30, 0.26, 0.14, 0.08, 0.04, 0.03,
            ],
            1.0,
        ),
        // Seldom.
        _ => ([0.02; HOURS], 1.0),
    }
}

/// A town of `n` people.
pub fn town(n: usize, curves: Curves, rng: &mut impl Rng) -> Vec<Person> {
    (0..n)
        .map(|_| {
            let level: f64 = rng.random_range(-0.6..0.6_f64).exp();
            let chance = match curves {
                Curves::Hidden => {
                    let (base, saturday) = kind(rng);
                    let own = spline(rng, 0.7);
                    let workday: [f64; HOURS] =
                        std::array::from_fn(|h| (base[h] * own[h].exp() * level).clamp(0.0, 0.8));
                    let mean = workday.iter().sum::<f64>() / HOURS as f64;
                    let free: [f64; HOURS] = std::array::from_fn(|h| {
                        (saturday * f64::midpoint(mean, base[h])).clamp(0.0, 0.8)
                    });
                    [workday, free]
                }
                Curves::FlatHours => [[0.12 * level; HOURS]; 2],
                Curves::Flat => [[0.12; HOURS]; 2],
            };
            Person {
                chance,
                dpd: rng.random_range(1..=360),
                amount_minor: rng.random_range(50_000..=150_000),
            }
        })
        .collect()
}
