//! What is kept of a call's legs while they are up: SIP messages without numbers and bodies, and how
//! the sound was. Told once the call is over.

use super::core::Engine;
use super::legs::Owner;
use crate::limits;
use crate::plane::{Counts, LegId};
use bytes::Bytes;
use domain::entity::{CallTrail, LegKind, LegQuality, SipStep};
use domain::ids::{AgentId, AttemptId};
use domain::ports::TrunkReport;
use domain::time::UtcMs;
use sip::ua::CallKey;
use std::collections::HashMap;
use std::time::Instant;

/// Trails of legs that are up, and of calls just ended whose last messages are awaited.
#[derive(Default)]
pub(super) struct Trails {
    by_call: HashMap<Bytes, LegId>,
    legs: HashMap<LegId, LegTrail>,
    /// Legs of each call beside the debtor's, by that.
    others: HashMap<LegId, Vec<LegId>>,
    ending: Vec<(Instant, AttemptId, LegId)>,
}

/// Digits of the highest sequence number (RFC 3261 §8.1.1.5: below 2^31).
const SEQUENCE_DIGITS: usize = 10;

/// Type of a description.
const SDP: &[u8] = b"application/sdp";

struct LegTrail {
    call_id: Bytes,
    kind: LegKind,
    trail: CallTrail,
}

/// What a message says of itself.
struct Read<'a> {
    call_id: &'a [u8],
    /// Method, or code and phrase.
    name: &'a [u8],
    code: Option<u16>,
    cseq: &'a [u8],
    reason: Option<&'a [u8]>,
    sdp: bool,
}

impl Trails {
    fn open(&mut self, leg: LegId, call_id: Bytes, kind: LegKind, home: LegId) {
        self.by_call.insert(call_id.clone(), leg);
        let trail = CallTrail::default();
        let row = LegTrail {
            call_id,
            kind,
            trail,
        };
        self.legs.insert(leg, row);
        if leg != home {
            self.others.entry(home).or_default().push(leg);
        }
    }

    /// Keeps a message when it is one of a call that is followed.
    pub(super) fn seen(&mut self, out: bool, bytes: &[u8], at: impl FnOnce() -> UtcMs) {
        if self.by_call.is_empty() {
            return;
        }
        let Some(read) = read(bytes) else { return };
        let leg = self.by_call.get(read.call_id);
        let Some(row) = leg.and_then(|leg| self.legs.get_mut(leg)) else {
            return;
        };
        let trail = &mut row.trail;
        let (name, cseq) = (kept(read.name, 0), kept(read.cseq, SEQUENCE_DIGITS));
        let same = |s: &SipStep| s.out == out && s.name == name && s.cseq == cseq;
        let repeat = trail.ladder.iter().any(same);
        trail.ladder.push(SipStep {
            at: at(),
            leg: row.kind,
            out,
            name,
            code: read.code,
            cseq,
            reason: read.reason.map(|reason| kept(reason, 0)),
            sdp: read.sdp,
            repeat,
            bytes: u32::try_from(bytes.len()).unwrap_or(u32::MAX),
            left_before: 0,
        });
        if trail.ladder.len() > limits::LADDER_HEAD + limits::LADDER_TAIL {
            trail.left_out = trail.left_out.saturating_add(1);
            let gone = trail.ladder.remove(limits::LADDER_HEAD);
            if let Some(next) = trail.ladder.get_mut(limits::LADDER_HEAD) {
                next.left_before = gone.left_before.saturating_add(1);
            }
        }
    }

    /// The leg that a message is about, where it is followed.
    pub(super) fn whose(&self, bytes: &[u8]) -> Option<LegId> {
        self.by_call.get(read(bytes)?.call_id).copied()
    }

    fn heard(&mut self, home: LegId, quality: LegQuality) {
        if let Some(row) = self.legs.get_mut(&home)
            && row.trail.legs.len() < limits::LEGS_KEPT
        {
            row.trail.legs.push(quality);
        }
    }

    /// Everything of a call, in order of time.
    fn take(&mut self, home: LegId) -> CallTrail {
        let others = self.others.remove(&home).unwrap_or_default();
        let mut whole = CallTrail::default();
        for leg in std::iter::once(home).chain(others) {
            if let Some(row) = self.legs.remove(&leg) {
                self.by_call.remove(&row.call_id);
                whole.ladder.extend(row.trail.ladder);
                whole.legs.extend(row.trail.legs);
                whole.left_out = whole.left_out.saturating_add(row.trail.left_out);
            }
        }
        whole.ladder.sort_by_key(|s| s.at);
        whole.legs.sort_by_key(|l| l.from);
        whole
    }
}

impl Engine {
    /// The leg goes on with another call.
    pub(super) fn trail_again(&mut self, leg: LegId, key: CallKey) {
        if let Some(call_id) = self.endpoint.call_id(key)
            && let Some(row) = self.trails.legs.get_mut(&leg)
        {
            let before = std::mem::replace(&mut row.call_id, call_id.clone());
            self.trails.by_call.remove(&before);
            self.trails.by_call.insert(call_id, leg);
        }
    }

    /// Follows a leg's messages from its INVITE on.
    pub(super) fn trail_open(&mut self, leg: LegId, key: CallKey, kind: LegKind, home: LegId) {
        if let Some(id) = self.endpoint.call_id(key) {
            self.trails.open(leg, id, kind, home);
        }
    }

    /// How the sound of a leg was while it was on a debtor's call.
    pub(super) fn leg_left(
        &mut self,
        (debtor, leg): (LegId, LegId),
        (from, until): (Instant, Instant),
        counts: Counts,
    ) {
        let whose = match self.legs.get(leg).map(|row| &row.owner) {
            Some(Owner::Agent(held)) => (LegKind::Agent, Some(held.agent)),
            Some(Owner::Party(_)) => (LegKind::Party, None),
            _ => return,
        };
        let times = (self.wall.at(from), self.wall.at(until));
        self.trails.heard(debtor, quality(whose, times, counts));
    }

    /// A debtor's leg gave its counts: its trail is told once its last messages had time to come.
    pub(super) fn trail_end(&mut self, leg: LegId, answered: Option<UtcMs>, counts: Counts) {
        let Some(row) = self.legs.get(leg) else {
            return;
        };
        let (Owner::Debtor(debtor), Some(over)) = (&row.owner, &row.end) else {
            return;
        };
        let (attempt, until) = (debtor.order.attempt_id, self.wall.at(over.at));
        if let Some(from) = answered {
            let debtors = (LegKind::Debtor, None);
            self.trails
                .heard(leg, quality(debtors, (from, until), counts));
        }
        let due = Instant::now() + limits::LADDER_WAIT;
        self.trails.ending.push((due, attempt, leg));
    }

    /// Tells the trails whose time has come; all of them at the end.
    pub(super) fn tell_trails(&mut self, all: bool) {
        let now = Instant::now();
        let ending = std::mem::take(&mut self.trails.ending);
        let (due, later): (Vec<_>, Vec<_>) =
            ending.into_iter().partition(|(at, ..)| all || *at <= now);
        self.trails.ending = later;
        for (_, attempt, leg) in due {
            let trail = Box::new(self.trails.take(leg));
            let at = self.wall.now();
            self.outbox.tell(TrunkReport::Trail { attempt, at, trail });
        }
    }
}

fn quality(
    (leg, agent): (LegKind, Option<AgentId>),
    (from, until): (UtcMs, UtcMs),
    counts: Counts,
) -> LegQuality {
    LegQuality {
        leg,
        agent,
        from,
        until,
        received: counts.received,
        sent: counts.sent,
        lost: counts.lost,
        jitter_us: counts.jitter_us,
        jitter_max_us: counts.jitter_max_us,
        rtt_us: counts.rtt_us,
        far_lost_256: counts.far_lost,
        mos_x100: mos_x100(&counts),
    }
}

/// The E-model's estimate × 100. Delay one way: half the round trip (nothing when it was never
/// measured), 20 ms of packet, and the buffer a listener needs for the jitter, at least 20 ms.
fn mos_x100(counts: &Counts) -> Option<i32> {
    let expected = counts.received + counts.lost;
    if counts.received == 0 {
        return None;
    }
    #[expect(clippy::cast_precision_loss, reason = "packets of one call")]
    let loss = counts.lost as f64 * 100.0 / expected as f64;
    let half = f64::from(counts.rtt_us.unwrap_or(0)) / 2_000.0;
    let buffer = (f64::from(counts.jitter_us) * 2.0 / 1_000.0).max(20.0);
    let mos = media::stats::mos(loss, half + 20.0 + buffer);
    #[expect(clippy::cast_possible_truncation, reason = "1.0 to 4.5")]
    let hundredths = (mos * 100.0).round() as i32;
    Some(hundredths)
}

fn header_lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes
        .split(|b| *b == b'\n')
        .map(|l| l.strip_suffix(b"\r").unwrap_or(l))
        .take_while(|l| !l.is_empty())
}

/// Whether a line may be one of those that are looked at; what begins with a blank goes on with the line before.
fn wanted(line: &&[u8]) -> bool {
    let first = line.first().map(u8::to_ascii_lowercase);
    matches!(first, Some(b'c' | b'i' | b'r'))
}

fn field(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = line.iter().position(|b| *b == b':')?;
    Some((trim(&line[..at]), trim(&line[at + 1..])))
}

/// Without the blanks around it, as the endpoint reads it: what else ASCII calls white belongs to a value
/// (RFC 3261 §25.1).
fn trim(mut text: &[u8]) -> &[u8] {
    const BLANK: &[u8] = b" \t\r\n";
    while let Some((first, rest)) = text.split_first()
        && BLANK.contains(first)
    {
        text = rest;
    }
    while let Some((last, rest)) = text.split_last()
        && BLANK.contains(last)
    {
        text = rest;
    }
    text
}

/// Reads what is kept; `None` for what is no SIP message.
fn read(bytes: &[u8]) -> Option<Read<'_>> {
    let mut lines = header_lines(bytes);
    let first = lines.next()?;
    let (name, code) = match first.strip_prefix(b"SIP/2.0 ") {
        Some(rest) => {
            let digits = rest.get(..3)?;
            let clean = digits.iter().all(u8::is_ascii_digit);
            let code = std::str::from_utf8(digits).ok().filter(|_| clean)?;
            (rest, Some(code.parse().ok()?))
        }
        None => (first.split(|b| *b == b' ').next()?, None),
    };
    let mut found = Read {
        call_id: &[],
        name,
        code,
        cseq: &[],
        reason: None,
        sdp: false,
    };
    for (name, value) in lines.filter(wanted).filter_map(field) {
        let is = |wanted: &[u8]| name.eq_ignore_ascii_case(wanted);
        if is(b"call-id") || is(b"i") {
            found.call_id = value;
        } else if is(b"cseq") {
            found.cseq = value;
        } else if is(b"reason") {
            found.reason = Some(value);
        } else if is(b"content-type") || is(b"c") {
            let kind = value.get(..SDP.len());
            found.sdp = kind.is_some_and(|kind| kind.eq_ignore_ascii_case(SDP));
        }
    }
    (!found.call_id.is_empty()).then_some(found)
}

/// Printable ASCII of at most so many characters; runs of digits that could be a number are masked,
/// save `clear` of them at the start: a sequence.
fn kept(text: &[u8], clear: usize) -> String {
    let most = text.len().min(limits::LADDER_TEXT);
    let mut out = String::with_capacity(most);
    let mut digits = 0;
    for (at, byte) in text[..most].iter().enumerate() {
        let c = if byte.is_ascii_graphic() || *byte == b' ' {
            char::from(*byte)
        } else {
            '?'
        };
        digits = if c.is_ascii_digit() { digits + 1 } else { 0 };
        let sequence = digits == at + 1 && at < clear;
        let number = digits > 4 && !sequence;
        out.push(if number { '·' } else { c });
    }
    out
}

/// The call that a message is kept for.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn call_of(message: &[u8]) -> Option<&[u8]> {
    read(message).map(|read| read.call_id)
}

/// What is kept of a message that comes twice in a call of its own.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn followed(message: &[u8]) -> CallTrail {
    let mut trails = Trails::default();
    let leg = LegId(1);
    if let Some(read) = read(message) {
        let id = Bytes::copy_from_slice(read.call_id);
        trails.open(leg, id, LegKind::Debtor, leg);
    }
    for n in 0..2 {
        trails.seen(false, message, || UtcMs(n));
    }
    trails.take(leg)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BYE: &[u8] = b"BYE sip:+525512345678@10.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.9\r\n\
        From: \"Maria\" <sip:+525512345678@x>;tag=1\r\ni: abc@x\r\nCSeq: 4000000001 BYE\r\n\
        Reason: Q.850;cause=16;text=\"for 5512345678\"\r\nContent-Length: 4\r\n\r\n5512";

    #[test]
    fn a_message_is_kept_without_numbers_names_and_body() {
        let read = read(BYE).expect("reads");
        assert_eq!((read.name, read.code), (&b"BYE"[..], None));
        assert_eq!(
            (read.call_id, kept(read.cseq, SEQUENCE_DIGITS).as_str()),
            (&b"abc@x"[..], "4000000001 BYE")
        );
        let reason = kept(read.reason.expect("has one"), 0);
        assert!(
            reason.starts_with("Q.850;cause=16") && !reason.contains("12345"),
            "{reason}"
        );
        assert!(!read.sdp);
        let ok = b"SIP/2.0 183 Session Progress\r\nCall-ID: q\r\nCSeq: 1 INVITE\r\nc: application/SDP\r\n\r\n";
        let ok = super::read(ok).expect("reads");
        assert_eq!(
            (ok.name, ok.code, ok.sdp),
            (&b"183 Session Progress"[..], Some(183), true)
        );
        let folded = b"BYE x SIP/2.0\r\nSubject: a\r\n Call-ID: b\r\ncall-id : c\r\n\r\n";
        assert_eq!(
            super::read(folded).map(|read| read.call_id),
            Some(&b"c"[..])
        );
        let none = [
            &b"\r\n\r\n"[..],
            b"SIP/2.0 xx",
            b"SIP/2.0 +20 OK\r\ni: a\r\n\r\n",
        ];
        assert!(none.iter().all(|bytes| super::read(bytes).is_none()));
    }

    #[test]
    fn only_a_sequence_at_the_start_is_clear() {
        assert_eq!(kept(b"5512345678 told us", 0), "5512······ told us");
        let sequence = kept(b"525512345678 BYE", SEQUENCE_DIGITS);
        assert_eq!(sequence, "5255123456·· BYE");
        assert_eq!(kept(b" 5512345678", SEQUENCE_DIGITS), " 5512······");
    }

    #[test]
    fn trails_are_bounded_and_name_repeats() {
        let mut trails = Trails::default();
        let leg = LegId(1);
        trails.open(leg, Bytes::from_static(b"abc@x"), LegKind::Debtor, leg);
        for n in 0..100 {
            trails.seen(true, BYE, || UtcMs(n));
        }
        trails.seen(true, b"BYE x SIP/2.0\r\nCall-ID: other\r\n\r\n", || {
            UtcMs(0)
        });
        let trail = trails.take(leg);
        let kept = limits::LADDER_HEAD + limits::LADDER_TAIL;
        assert_eq!(trail.ladder.len(), kept);
        assert_eq!(trail.left_out as usize, 100 - kept);
        assert!(!trail.ladder[0].repeat && trail.ladder[1].repeat);
        assert!(trails.by_call.is_empty() && trails.legs.is_empty());
    }

    /// Half an hour of session refreshes, and the end is still told, with what stands between.
    #[test]
    fn a_long_call_keeps_its_beginning_and_its_end() {
        let mut trails = Trails::default();
        let leg = LegId(1);
        trails.open(leg, Bytes::from_static(b"abc@x"), LegKind::Debtor, leg);
        let mut said = 0;
        let mut say = |text: &str| {
            trails.seen(true, text.as_bytes(), || UtcMs(said));
            said += 1;
        };
        say("INVITE x SIP/2.0\r\ni: abc@x\r\nCSeq: 1 INVITE\r\n\r\n");
        for n in 2..=80 {
            say(&format!(
                "UPDATE x SIP/2.0\r\ni: abc@x\r\nCSeq: {n} UPDATE\r\n\r\n"
            ));
        }
        say("BYE x SIP/2.0\r\ni: abc@x\r\nCSeq: 81 BYE\r\nReason: Q.850;cause=16\r\n\r\n");
        let trail = trails.take(leg);
        let ladder = &trail.ladder;
        let last = ladder.last().expect("kept");
        assert_eq!(
            (ladder[0].name.as_str(), last.name.as_str()),
            ("INVITE", "BYE")
        );
        assert_eq!(last.reason.as_deref(), Some("Q.850;cause=16"));
        let gaps: Vec<_> = ladder.iter().map(|step| step.left_before).collect();
        assert_eq!(gaps.iter().sum::<u32>(), trail.left_out);
        assert_eq!(gaps[limits::LADDER_HEAD], trail.left_out, "in one place");
        let at = usize::try_from(ladder[limits::LADDER_HEAD].at.0).expect("a count");
        assert_eq!(at, 81 - limits::LADDER_TAIL, "the last ones without a hole");
    }

    #[test]
    fn the_estimate_falls_with_loss_delay_and_jitter() {
        let good = Counts {
            received: 1_000,
            ..Counts::default()
        };
        let mos = |c: Counts| mos_x100(&c).expect("has audio");
        // G.107's default rating of 93.2 less the delay of 40 ms is 4.40.
        assert!((438..=441).contains(&mos(good)), "{}", mos(good));
        let lossy = Counts { lost: 53, ..good };
        assert!((380..=400).contains(&mos(lossy)), "{}", mos(lossy));
        let late = Counts {
            rtt_us: Some(800_000),
            ..good
        };
        assert!(mos(late) < 340, "{}", mos(late));
        let shaky = Counts {
            jitter_us: 150_000,
            ..good
        };
        assert!(mos(shaky) < mos(good) - 50);
        assert_eq!(mos_x100(&Counts::default()), None);
    }
}
