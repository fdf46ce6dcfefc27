//! What is sealed comes back, and what was changed is named.
#![expect(
    clippy::cast_possible_truncation,
    reason = "files of tests fit in memory"
)]

use super::*;
use proptest::prelude::*;

const ID: [u8; 16] = [9; 16];

fn ring() -> KeyRing {
    KeyRing::of([7; 32])
}

fn sealed(sound: &[u8], marks: &[u8], step: usize) -> Vec<u8> {
    let (mut sealer, head) = Sealer::begin(ID, &ring()).expect("begins");
    let mut file = head.to_vec();
    for part in sound.chunks(step.max(1)) {
        sealer.push(part, &mut file).expect("takes");
    }
    assert_eq!(sealer.sound(), sound.len() as u64);
    sealer.finish(marks, &mut file).expect("ends");
    file
}

fn part(file: &[u8], index: u64) -> &[u8] {
    let (from, len) = span(index, file.len() as u64);
    &file[from as usize..(from + len) as usize]
}

fn played(file: &[u8], ring: &KeyRing) -> Result<(Plan, Vec<u8>), VaultError> {
    let opened = Opened::new(&file[..HEAD.min(file.len())], ring)?;
    let stored = file.len() as u64;
    let chunks = chunks_of(stored);
    let last = chunks.checked_sub(1).map_or(&[][..], |i| part(file, i));
    let plan = opened.plan(stored, last)?;
    let mut wav = wav_head(plan.sound, plan.marks).to_vec();
    for index in 0..plan.chunks {
        wav.extend(opened.chunk(&plan, index, part(file, index))?);
    }
    assert_eq!(wav.len() as u64, plan.wav_bytes());
    Ok((plan, wav))
}

/// Sound in which every place differs.
fn sound(bytes: usize) -> Vec<u8> {
    (0..bytes).map(|i| (i * 7 + i / 251) as u8).collect()
}

#[test]
fn what_is_sealed_plays_again_at_every_size_around_a_chunk() {
    let around = |n: usize| {
        [
            n.saturating_sub(20),
            n - 16,
            n - 15,
            n - 4,
            n,
            n + 4,
            n + 16,
        ]
    };
    let marks: Vec<u8> = (0..40).collect();
    for size in [0, 4]
        .into_iter()
        .chain(around(CHUNK))
        .chain(around(3 * CHUNK))
    {
        for marks in [&[][..], &marks[..], &[5; 2 * CHUNK][..]] {
            let sound = sound(size);
            let file = sealed(&sound, marks, 1_000);
            let (plan, wav) = played(&file, &ring()).expect("plays");
            assert_eq!((plan.sound, plan.marks), (size as u64, marks.len() as u64));
            assert_eq!(wav[WAV_HEAD..WAV_HEAD + size], sound);
            assert_eq!(wav[WAV_HEAD + size..], *marks);
            assert!(!plan.mended);
        }
    }
}

#[test]
fn nothing_of_the_sound_is_readable_and_no_two_files_are_alike() {
    let voice = b"a voice that nobody should hear ".repeat(1_000);
    let (one, two) = (sealed(&voice, &[], 900), sealed(&voice, &[], 900));
    assert_eq!(one.len(), two.len());
    assert_ne!(one[HEAD..], two[HEAD..]);
    assert!(!one.windows(8).any(|w| w == b"a voice "));
}

#[test]
fn the_wav_is_one_for_others_too() {
    let file = sealed(&sound(32_000), &[], 777);
    let (_, wav) = played(&file, &ring()).expect("plays");
    let reader = hound::WavReader::new(wav.as_slice()).expect("a WAV");
    let spec = reader.spec();
    assert_eq!(
        (spec.channels, spec.sample_rate, spec.bits_per_sample),
        (2, 8_000, 16)
    );
    assert_eq!(reader.duration(), 8_000);
}

#[test]
fn a_changed_byte_is_named_by_its_chunk() {
    let file = sealed(&sound(5 * CHUNK + 100), &[], 4_000);
    for at in (0..file.len())
        .step_by(397)
        .chain([8, 60, 70, 120, HEAD, file.len() - 1])
    {
        let mut bad = file.clone();
        bad[at] ^= 0x10;
        let error = played(&bad, &ring()).map(|_| ()).expect_err("named");
        let index = (at.saturating_sub(HEAD) / (CHUNK + TAG)) as u64;
        let named = match error {
            VaultError::Chunk { index: i, of } => i == index && of.is_none() && at >= HEAD,
            // The last chunk is a short one: changed or cut, nobody can tell.
            VaultError::Cut { .. } => index == 5,
            _ => at < HEAD,
        };
        assert!(named, "byte {at}: {error}");
    }
}

#[test]
fn swapped_and_foreign_chunks_are_named() {
    let file = sealed(&sound(6 * CHUNK), &[], 4_000);
    let whole = CHUNK + TAG;
    let place = |i: usize| HEAD + i * whole..HEAD + (i + 1) * whole;
    let mut bad = file.clone();
    bad[place(1)].copy_from_slice(&file[place(4)]);
    bad[place(4)].copy_from_slice(&file[place(1)]);
    assert_eq!(
        played(&bad, &ring()).expect_err("swapped"),
        VaultError::Chunk {
            index: 1,
            of: Some(4)
        }
    );
    let other = sealed(&sound(6 * CHUNK), &[], 4_000);
    let mut bad = file.clone();
    bad[place(2)].copy_from_slice(&other[place(2)]);
    assert_eq!(
        played(&bad, &ring()).expect_err("foreign"),
        VaultError::Chunk { index: 2, of: None }
    );
}

#[test]
fn every_cut_is_seen_and_mends_to_whole_chunks() {
    let sound = sound(3 * CHUNK + 500);
    let file = sealed(&sound, &[1; 40], 4_000);
    for cut in (HEAD..file.len()).step_by(61).chain([HEAD + CHUNK + TAG]) {
        let mut left = file[..cut].to_vec();
        let error = played(&left, &ring()).map(|_| ()).expect_err("cut");
        assert!(matches!(error, VaultError::Cut { .. }), "{cut}: {error}");
        let opened = Opened::new(&left[..HEAD], &ring()).expect("opens");
        let mut kept = 0;
        while kept < 3 && opened.keeps(kept, part(&left, kept)).is_some() {
            kept += 1;
        }
        assert_eq!(kept, ((cut - HEAD) / (CHUNK + TAG)).min(3) as u64);
        left.truncate(HEAD + kept as usize * (CHUNK + TAG));
        left.extend(opened.mend(kept).expect("mends"));
        let (plan, wav) = played(&left, &ring()).expect("plays");
        assert!(plan.mended);
        assert_eq!(wav[WAV_HEAD..], sound[..kept as usize * CHUNK]);
    }
}

#[test]
fn a_change_of_keys_leaves_the_sound_alone() {
    let mut file = sealed(&sound(20_000), &[], 4_000);
    let old = "07".repeat(32);
    let both = KeyRing::read(&format!("{}\n{old}\n", "5c".repeat(32))).expect("reads");
    let head = rewrapped(&file, &both).expect("opens").expect("changes");
    let before = played(&file, &both).expect("plays").1;
    file[..HEAD].copy_from_slice(&head);
    let new = KeyRing::of([0x5c; 32]);
    assert_eq!(played(&file, &new).expect("plays").1, before);
    assert_eq!(rewrapped(&file, &both).expect("opens"), None);
    assert!(matches!(
        played(&file, &ring()).expect_err("gone"),
        VaultError::UnknownKey(_)
    ));
}

#[test]
fn what_is_no_sealed_recording_is_refused() {
    for bytes in [&b""[..], b"RIFF", b"MRCDREC\x01", &[0; 200]] {
        assert!(Opened::new(bytes, &ring()).is_err());
    }
    assert!(!is_sealed(b"RIFF....WAVE"));
}

proptest! {
    #[test]
    fn no_bytes_at_all_make_it_panic(mut file in proptest::collection::vec(any::<u8>(), 0..20_000), as_ours in any::<bool>()) {
        if as_ours && file.len() > HEAD {
            let ours = sealed(&[], &[], 1);
            file[..HEAD].copy_from_slice(&ours[..HEAD]);
        }
        prop_assert!(played(&file, &ring()).is_err());
    }

    #[test]
    fn any_sound_in_any_steps_comes_back(size in 0_usize..40_000, step in 1_usize..9_000, marks in 0_usize..200) {
        let sound = sound(size * 4 / 4);
        let marks = vec![3; marks];
        let file = sealed(&sound, &marks, step);
        let (_, wav) = played(&file, &ring()).expect("plays");
        prop_assert_eq!(&wav[WAV_HEAD..WAV_HEAD + sound.len()], &sound[..]);
    }
}
