//! Descriptions of background noise.

/// One input.
pub(crate) fn run(data: &[u8]) {
    let Ok(told) = media::comfort::Description::parse(data) else {
        return;
    };
    let mut noise = media::comfort::Noise::new(told, 1);
    let mut out = [0i16; 320];
    noise.fill(&mut out);
    noise.change(media::comfort::Description::flat(data[0]));
    noise.fill(&mut out);
}
