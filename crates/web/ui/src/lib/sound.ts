// A short tone when a call comes in; silent where the browser does not permit it yet.
let audio: AudioContext | undefined;
export function chime(): void {
  try {
    audio ??= new AudioContext();
    if (audio.state === 'suspended') void audio.resume();
    const start = audio.currentTime;
    for (const [at, hz] of [[0, 880], [0.12, 1175]] as const) {
      const tone = audio.createOscillator();
      const level = audio.createGain();
      tone.frequency.value = hz;
      level.gain.setValueAtTime(0, start + at);
      level.gain.linearRampToValueAtTime(0.12, start + at + 0.01);
      level.gain.exponentialRampToValueAtTime(0.001, start + at + 0.11);
      tone.connect(level).connect(audio.destination);
      tone.start(start + at);
      tone.stop(start + at + 0.12);
    }
  } catch {
    audio = undefined;
  }
}
