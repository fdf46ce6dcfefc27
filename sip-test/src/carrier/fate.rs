//! What becomes of a call: a pure function of seed, number and how often it was called before.

use rand::Rng as _;
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution as _, LogNormal as Shape};
use serde::{Deserialize, Serialize};

use super::profile::{LogNormal, Profile};

/// What a call comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// A person answers and talks.
    Human,
    /// A person answers and hangs up at once.
    HangupEarly,
    /// A machine that beeps.
    MachineBeep,
    /// A machine that does not.
    MachineNoBeep,
    /// 486.
    Busy,
    /// Rings on.
    NoAnswer,
    /// 603.
    Rejected,
    /// 480, switched off.
    Unreachable,
    /// 503.
    Congestion,
    /// 404.
    Invalid,
}

impl Class {
    /// Whether a machine takes the call.
    #[must_use]
    pub const fn is_machine(self) -> bool {
        matches!(self, Self::MachineBeep | Self::MachineNoBeep)
    }

    /// True where the call is answered.
    #[must_use]
    pub const fn answers(self) -> bool {
        matches!(
            self,
            Self::Human | Self::HangupEarly | Self::MachineBeep | Self::MachineNoBeep
        )
    }

    /// Final code and Q.850 cause of what is not answered (`no_answer`: of the network's giving up).
    #[must_use]
    pub const fn refusal(self) -> (u16, u8) {
        match self {
            Self::Busy => (486, 17),
            Self::Rejected => (603, 21),
            Self::Unreachable => (480, 20),
            Self::Congestion => (503, 34),
            Self::Invalid => (404, 1),
            _ => (480, 19),
        }
    }
}

/// What the network plays in a 183 before it refuses a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Network {
    /// Busy tone.
    Busy,
    /// Special information tone, then somebody who speaks.
    Sit,
    /// Somebody who speaks.
    Announcement,
}

impl Network {
    /// What goes with a refusal; none where networks refuse without a sound.
    const fn of(class: Class) -> Option<Self> {
        match class {
            Class::Busy => Some(Self::Busy),
            Class::Invalid => Some(Self::Sit),
            Class::Unreachable => Some(Self::Announcement),
            _ => None,
        }
    }
}

/// Length of what the network plays, ms: a busy tone is told by two or three of its bursts.
const NETWORK_MS: std::ops::RangeInclusive<u64> = 5_000..=9_000;

/// The network's own mailboxes; a carrier has a few recordings for all who recorded none themselves.
const MAILBOXES: u8 = 3;

/// Length of what they say, ms.
const MAILBOX_MS: u64 = 5_500;

/// The plan of one call. All times in ms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// What it comes to.
    pub class: Class,
    /// How often the number was called before.
    pub index: u32,
    /// From INVITE to ring (or refusal, where it does not ring).
    pub pdd_ms: u64,
    /// From ring, or the network's sound, to answer or giving up; 0 where there is neither.
    pub ring_ms: u64,
    /// Rings by 183 with ring-back.
    pub early_media: bool,
    /// What the network plays by 183 instead of ringing.
    #[serde(default)]
    pub network: Option<Network>,
    /// From answer to hang-up by the called side.
    pub talk_ms: u64,
    /// Longest silence it bears after the answer.
    pub patience_ms: u64,
    /// Length of a machine's greeting, 0 for people.
    pub greeting_ms: u64,
    /// A person behind an exchange that beeps first.
    #[serde(default)]
    pub company: bool,
    /// Which of the network's own mailboxes speaks.
    #[serde(default)]
    pub mailbox: Option<u8>,
    /// Presses the profile's key.
    pub presses: bool,
    /// Seed of the voice.
    pub voice_seed: u64,
}

/// Draws the plan of the `index`-th call to `number`. `hour` (UTC) counts only where the profile has
/// factors by hour.
#[must_use]
pub fn draw(profile: &Profile, seed: u64, number: &str, index: u32, hour: usize) -> Plan {
    let mut of_number = ChaCha8Rng::seed_from_u64(hash(seed, number, u64::MAX));
    let mut rng = ChaCha8Rng::seed_from_u64(hash(seed, number, u64::from(index)));
    let class = draw_class(profile, &mut of_number, &mut rng, hour);
    // Everything is drawn for every class, so that changing one share moves no other figure.
    let pdd_ms = log_normal(&profile.pdd_ms, &mut rng);
    let ring_ms = log_normal(&profile.ring_ms, &mut rng);
    let early_media = rng.random::<f64>() < profile.early_media_share;
    let talk = quantile(&profile.talk_s, rng.random()) * profile.time_scale;
    let early = rng.random_range(profile.early_hangup_ms[0]..=profile.early_hangup_ms[1]);
    let patience = survival(&profile.patience_s, rng.random()) * profile.time_scale;
    let own_ms = log_normal(&profile.machine.greeting_ms, &mut rng);
    let mailbox = mailbox(profile, seed, number, index).filter(|_| class.is_machine());
    let greeting_ms = mailbox.map_or(own_ms, |_| MAILBOX_MS);
    let presses = rng.random::<f64>() < profile.press.share && class == Class::Human;
    let (ring_ms, talk_ms) = match class {
        Class::Human => (ring_ms, ms(talk)),
        Class::HangupEarly => (ring_ms, early),
        Class::MachineBeep | Class::MachineNoBeep => {
            (ring_ms, greeting_ms + 700 + profile.machine.wait_ms)
        }
        Class::NoAnswer => (profile.no_answer_ms, 0),
        Class::Rejected => (ring_ms / 2, 0),
        Class::Busy | Class::Unreachable | Class::Congestion | Class::Invalid => (0, 0),
    };
    let machine = class.is_machine();
    let voice_seed = rng.random();
    let sounds = rng.random::<f64>() < profile.network_sound_share;
    let sound_ms = rng.random_range(NETWORK_MS);
    let network = Network::of(class).filter(|_| sounds);
    let ring_ms = network.map_or(ring_ms, |_| sound_ms);
    Plan {
        class,
        index,
        pdd_ms,
        ring_ms,
        early_media: early_media && ring_ms > 0 && network.is_none(),
        network,
        talk_ms,
        patience_ms: if machine {
            talk_ms
        } else {
            ms(patience).max(LEAST_PATIENCE_MS)
        },
        greeting_ms: if machine { greeting_ms } else { 0 },
        company: !machine && company(profile, seed, number),
        mailbox,
        presses,
        voice_seed,
    }
}

/// Which mailbox of the network's own it is, where it is one. A draw of its own: no other moves.
fn mailbox(profile: &Profile, seed: u64, number: &str, index: u32) -> Option<u8> {
    let call = hash(seed ^ 0x6d61_696c, number, u64::from(index));
    let mut rng = ChaCha8Rng::seed_from_u64(call);
    let own = rng.random::<f64>() >= profile.machine.network_share;
    let which = rng.random_range(0..MAILBOXES);
    (!own).then_some(which)
}

/// Whether the number is of a company whose exchange beeps first. A draw of its own: no other moves.
fn company(profile: &Profile, seed: u64, number: &str) -> bool {
    let mut rng = ChaCha8Rng::seed_from_u64(hash(seed ^ 0x636f_6d70, number, u64::MAX));
    rng.random::<f64>() < profile.company_share
}

/// Nobody hangs up on silence sooner than this, ms: one "hello?" and a breath.
const LEAST_PATIENCE_MS: u64 = 3_000;

fn draw_class(
    profile: &Profile,
    of_number: &mut ChaCha8Rng,
    rng: &mut ChaCha8Rng,
    hour: usize,
) -> Class {
    let s = &profile.shares;
    let total = s.human
        + s.machine
        + s.busy
        + s.no_answer
        + s.rejected
        + s.unreachable
        + s.congestion
        + s.invalid;
    if of_number.random::<f64>() * total < s.invalid {
        return Class::Invalid;
    }
    let factor = profile
        .answer_by_hour
        .as_ref()
        .and_then(|h| h.get(hour))
        .copied()
        .unwrap_or(1.0);
    let human = (s.human * factor).min(s.human + s.no_answer);
    let rows = [
        (human, Class::Human),
        (s.machine, Class::MachineBeep),
        (s.busy, Class::Busy),
        (s.rejected, Class::Rejected),
        (s.unreachable, Class::Unreachable),
        (s.congestion, Class::Congestion),
    ];
    let mut left = rng.random::<f64>() * (total - s.invalid);
    let second = rng.random::<f64>();
    for (share, class) in rows {
        if left < share {
            return match class {
                Class::Human if second < profile.early_hangup_share => Class::HangupEarly,
                Class::MachineBeep if second >= profile.machine.beep_share => Class::MachineNoBeep,
                other => other,
            };
        }
        left -= share;
    }
    Class::NoAnswer
}

fn log_normal(shape: &LogNormal, rng: &mut ChaCha8Rng) -> u64 {
    let drawn = Shape::new(shape.median.ln(), shape.sigma).map_or(shape.median, |d| d.sample(rng));
    whole(drawn).clamp(shape.least, shape.most)
}

/// Value at probability `p`, straight between the rows; the ends hold.
fn quantile(rows: &[[f64; 2]], p: f64) -> f64 {
    let Some(above) = rows.iter().position(|r| r[0] >= p) else {
        return rows.last().map_or(0.0, |r| r[1]);
    };
    if above == 0 {
        return rows[0][1];
    }
    let ([p0, v0], [p1, v1]) = (rows[above - 1], rows[above]);
    if p1 <= p0 {
        v1
    } else {
        v0 + (v1 - v0) * (p - p0) / (p1 - p0)
    }
}

/// Time at which the share still there falls to `p`; beyond the last row the last holds.
fn survival(rows: &[[f64; 2]], p: f64) -> f64 {
    let gone: Vec<[f64; 2]> = rows.iter().map(|[t, s]| [1.0 - s, *t]).collect();
    quantile(&gone, 1.0 - p)
}

fn ms(seconds: f64) -> u64 {
    whole(seconds * 1_000.0)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "float casts saturate"
)]
fn whole(value: f64) -> u64 {
    value.round().max(0.0) as u64
}

pub(super) fn hash(seed: u64, number: &str, index: u64) -> u64 {
    // FNV-1a over all three: stable across platforms and releases.
    let bytes = seed
        .to_be_bytes()
        .into_iter()
        .chain(number.bytes())
        .chain(index.to_be_bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |h, b| {
        (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    fn plans(seed: u64) -> Vec<Plan> {
        let profile = Profile::demo().expect("built in");
        (0..10_000u32)
            .map(|n| draw(&profile, seed, &format!("+5255{n:08}"), n % 3, 12))
            .collect()
    }

    #[test]
    fn the_same_seed_gives_the_same_fates() {
        assert_eq!(plans(1), plans(1));
        assert_ne!(plans(1), plans(2));
    }

    #[test]
    fn shares_come_out_as_told() {
        let mut counts: HashMap<Class, f64> = HashMap::new();
        for plan in plans(3) {
            *counts.entry(plan.class).or_default() += 1.0 / 10_000.0;
        }
        let near = |class: Class, share: f64| {
            let found = counts.get(&class).copied().unwrap_or(0.0);
            assert!((found - share).abs() < 0.02, "{class:?} {found} {share}");
        };
        near(Class::Human, 0.30 * 0.97);
        near(Class::HangupEarly, 0.30 * 0.03);
        near(Class::MachineBeep, 0.072);
        near(Class::NoAnswer, 0.40);
        near(Class::Busy, 0.08);
        near(Class::Invalid, 0.04);
    }

    #[test]
    fn networks_have_few_mailboxes_and_nothing_else_moves() {
        let all = plans(3);
        let machines: Vec<_> = all.iter().filter(|p| p.class.is_machine()).collect();
        let network = machines.iter().filter(|p| p.mailbox.is_some()).count();
        let percent = network * 100 / machines.len();
        assert!((55..=65).contains(&percent), "{percent}");
        assert!(
            all.iter()
                .all(|p| p.class.is_machine() || p.mailbox.is_none())
        );
        let mut own = Profile::demo().expect("built in");
        own.machine.network_share = 0.0;
        for (n, plan) in (0u32..).zip(&all) {
            let same = draw(&own, 3, &format!("+5255{n:08}"), n % 3, 12);
            assert_eq!(
                (same.class, same.voice_seed, same.ring_ms),
                (plan.class, plan.voice_seed, plan.ring_ms)
            );
            assert!(
                plan.mailbox
                    .is_none_or(|m| m < MAILBOXES && plan.greeting_ms == MAILBOX_MS)
            );
        }
    }

    #[test]
    fn a_few_refusals_are_heard_first_and_nothing_else_moves() {
        let all = plans(3);
        let refused = |p: &&Plan| Network::of(p.class).is_some();
        let heard = all.iter().filter(|p| p.network.is_some()).count();
        let percent = heard * 100 / all.iter().filter(refused).count();
        assert!((12..=18).contains(&percent), "{percent}");
        let mut silent = Profile::demo().expect("built in");
        silent.network_sound_share = 0.0;
        for (n, plan) in (0u32..).zip(&all) {
            let same = draw(&silent, 3, &format!("+5255{n:08}"), n % 3, 12);
            let moved = Plan {
                network: None,
                ring_ms: same.ring_ms,
                ..*plan
            };
            assert_eq!(moved, same);
            if plan.network.is_some() {
                assert_eq!(plan.network, Network::of(plan.class));
                assert!(NETWORK_MS.contains(&plan.ring_ms) && !plan.early_media);
            }
        }
    }

    #[test]
    fn talk_follows_its_quantiles_and_the_scale() {
        let mut talks: Vec<u64> = plans(4)
            .iter()
            .filter(|p| p.class == Class::Human)
            .map(|p| p.talk_ms)
            .collect();
        talks.sort_unstable();
        let at = |p: usize| talks[talks.len() * p / 100];
        assert!((13_000..16_000).contains(&at(50)), "{}", at(50));
        assert!((7_400..9_200).contains(&at(25)), "{}", at(25));
        assert!((23_000..29_000).contains(&at(75)), "{}", at(75));
    }

    #[test]
    fn a_wrong_number_stays_wrong() {
        let profile = Profile::demo().expect("built in");
        for n in 0..2_000 {
            let number = format!("+5255{n:08}");
            let classes: Vec<bool> = (0..5)
                .map(|i| draw(&profile, 1, &number, i, 0).class == Class::Invalid)
                .collect();
            assert!(classes.iter().all(|c| *c == classes[0]));
        }
    }

    #[test]
    fn the_hour_counts_only_where_it_is_told_to() {
        let mut profile = Profile::demo().expect("built in");
        let humans = |profile: &Profile, hour| {
            (0..2_000)
                .filter(|n| draw(profile, 1, &format!("+1{n}"), 0, hour).class == Class::Human)
                .count()
        };
        assert_eq!(humans(&profile, 3), humans(&profile, 12));
        let mut hours = vec![1.0; 24];
        hours[3] = 0.0;
        profile.answer_by_hour = Some(hours);
        assert_eq!(humans(&profile, 3), 0);
        assert!(humans(&profile, 12) > 300);
    }
}
