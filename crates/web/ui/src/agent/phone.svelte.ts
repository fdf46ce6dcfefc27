// The browser as the agent's phone: microphone, one connection to the server, and coming again when it is lost.
import { toast } from '../lib/toast.svelte';
import { t } from '../lib/i18n.svelte';
import { uuid7 } from '../lib/uuid';
import type { Message } from '../lib/wire';
import { again, loudness, type Refusal, refusalOf, wish } from './phone';

export type PhoneState = 'off' | 'asking' | 'refused' | 'connecting' | 'up' | 'lost';

const CHOICE = 'marcador.phone';
const MIC = 'marcador.mic';
const RAW = 'marcador.rawMic';
const TESTED = 'marcador.micTested';
/** Time for the browser to mend a connection by itself, ms. */
const MEND_MS = 1_200;
/** Time for an answer and the handshake before the next try, ms. */
const TRY_MS = 6_000;
/** Time after which the server counts as deaf to a connection that the browser thinks is up, ms. */
const DEAF_MS = 4_000;
const METER_MS = 100;

export class BrowserPhone {
  state = $state<PhoneState>('off');
  refusal = $state<Refusal | null>(null);
  /** Loudness of the microphone, 0 to 1. */
  level = $state(0);
  mics = $state.raw<MediaDeviceInfo[]>([]);
  mic = $state(localStorage.getItem(MIC) ?? '');
  /** Without echo and noise processing: for headsets that do it themselves. */
  raw = $state(localStorage.getItem(RAW) === '1');
  tested = $state(sessionStorage.getItem(TESTED) === '1');

  private stream: MediaStream | null = null;
  private pc: RTCPeerConnection | null = null;
  private leg = '';
  private tries = 0;
  private muted = false;
  private legUp = false;
  private legUpAt = 0;
  private linked = false;
  private decided = false;
  private closed = false;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private meter: ReturnType<typeof setInterval> | undefined;
  private audio: AudioContext | undefined;
  private analyser: AnalyserNode | undefined;
  private readonly speaker = new Audio();

  /** `borrowed`: the leg belongs to the socket, and its server side tells nothing of it; each new socket is offered a new one. */
  constructor(private readonly send: (message: object) => void, private readonly borrowed = false) {
    this.speaker.autoplay = true;
    this.legUp = borrowed;
  }

  /** Whether the browser is, or is becoming, the phone. */
  get wanted(): boolean {
    return this.state === 'connecting' || this.state === 'up' || this.state === 'lost';
  }
  /** No calls before the microphone was heard and the tone was. */
  get mustTest(): boolean {
    return this.wanted && !this.tested;
  }
  /** What the far end says, for tests of what is heard. */
  get remote(): MediaStream | null {
    return this.speaker.srcObject as MediaStream | null;
  }

  /** The first state of the desk is here: who shall be the phone? */
  decide(registered: boolean, demo: boolean): void {
    if (this.decided) return;
    this.decided = true;
    if (wish(localStorage.getItem(CHOICE), registered, demo) === 'browser') void this.start();
  }

  /** The agent chose. */
  choose(what: 'browser' | 'sip'): void {
    localStorage.setItem(CHOICE, what);
    if (what === 'browser') void this.start();
    else this.stop();
  }

  /** The browser is no phone any more. */
  stop(): void {
    this.drop();
    this.release();
    this.tries = 0;
    this.state = 'off';
  }

  async start(): Promise<void> {
    this.state = 'asking';
    this.refusal = null;
    try {
      await this.open();
    } catch (error) {
      this.refuse(refusalOf(error));
      return;
    }
    if (!this.closed) this.connect();
  }

  /** Takes another microphone; a call that is up goes on with it. */
  async pick(mic: string, raw = this.raw): Promise<void> {
    this.mic = mic;
    this.raw = raw;
    localStorage.setItem(MIC, mic);
    localStorage.setItem(RAW, raw ? '1' : '0');
    this.test(false);
    try {
      await this.open();
      const track = this.stream?.getAudioTracks()[0] ?? null;
      await this.pc?.getSenders()[0]?.replaceTrack(track);
    } catch (error) {
      this.refuse(refusalOf(error));
    }
  }

  test(passed: boolean): void {
    this.tested = passed;
    if (passed) sessionStorage.setItem(TESTED, '1');
    else sessionStorage.removeItem(TESTED);
  }

  /** A short tone from the loudspeaker. */
  tone(): void {
    const audio = this.sounds();
    const tone = audio.createOscillator();
    const gain = audio.createGain();
    tone.frequency.value = 660;
    gain.gain.value = 0.15;
    tone.connect(gain).connect(audio.destination);
    tone.start();
    tone.stop(audio.currentTime + 0.8);
  }

  /** Nothing leaves the browser while the agent is muted. */
  mute(on: boolean): void {
    this.muted = on;
    for (const track of this.stream?.getAudioTracks() ?? []) track.enabled = !on;
  }

  /** The server's view of the leg. */
  sees(legUp: boolean): void {
    if (legUp !== this.legUp) this.legUpAt = Date.now();
    this.legUp = legUp;
  }

  /** The socket is there (again). */
  link(up: boolean): void {
    this.linked = up;
    if (up && (this.state === 'lost' || this.state === 'connecting' || (this.borrowed && this.state === 'up'))) this.connect();
  }

  async answer(message: Message): Promise<void> {
    if (message.leg !== this.leg || !this.pc) return;
    if (typeof message.refused === 'string') {
      if (message.refused === 'no_phone') {
        this.drop();
        this.release();
        this.refuse('server');
      } else this.lose();
      return;
    }
    await this.pc.setRemoteDescription({ type: 'answer', sdp: String(message.sdp) }).catch(() => this.lose());
  }

  close(): void {
    this.closed = true;
    this.drop();
    this.release();
    clearInterval(this.meter);
    void this.audio?.close();
  }

  private refuse(why: Refusal): void {
    this.release();
    this.refusal = why;
    this.state = 'refused';
  }

  private async open(): Promise<void> {
    if (!navigator.mediaDevices?.getUserMedia) throw new DOMException('', 'SecurityError');
    const processing = !this.raw;
    const device = this.mic ? { deviceId: { exact: this.mic } } : {};
    const ask = (extra: MediaTrackConstraints) =>
      navigator.mediaDevices.getUserMedia({
        audio: { channelCount: 1, echoCancellation: processing, noiseSuppression: processing, autoGainControl: processing, ...extra },
      });
    const stream = await ask(device).catch((error: unknown) => {
      // The one of last time is unplugged.
      if (this.mic && error instanceof DOMException && error.name === 'OverconstrainedError') return ask({});
      throw error;
    });
    this.release();
    this.stream = stream;
    this.mute(this.muted);
    const [track] = stream.getAudioTracks();
    track?.addEventListener('ended', () => this.stream === stream && this.refuse('unplugged'));
    this.mics = (await navigator.mediaDevices.enumerateDevices()).filter((d) => d.kind === 'audioinput' && d.deviceId);
    this.listen(stream);
  }

  private release(): void {
    for (const track of this.stream?.getTracks() ?? []) track.stop();
    this.stream = null;
    this.level = 0;
  }

  private sounds(): AudioContext {
    this.audio ??= new AudioContext();
    if (this.audio.state === 'suspended') void this.audio.resume();
    return this.audio;
  }

  private listen(stream: MediaStream): void {
    const audio = this.sounds();
    const analyser = audio.createAnalyser();
    analyser.fftSize = 1024;
    audio.createMediaStreamSource(stream).connect(analyser);
    this.analyser = analyser;
    const window = new Float32Array(analyser.fftSize);
    this.meter ??= setInterval(() => {
      if (!this.stream || !this.analyser) return;
      this.analyser.getFloatTimeDomainData(window);
      this.level = loudness(window);
      if (this.state === 'up' && this.linked && !this.legUp && Date.now() - this.legUpAt > DEAF_MS) this.connect();
    }, METER_MS);
  }

  private connect(): void {
    this.drop();
    this.state = this.tries > 0 || this.state === 'lost' ? 'lost' : 'connecting';
    if (!this.linked || !this.stream) return;
    this.legUpAt = Date.now();
    const pc = new RTCPeerConnection({ bundlePolicy: 'max-bundle' });
    this.pc = pc;
    this.leg = uuid7();
    const line = pc.addTransceiver(this.stream.getAudioTracks()[0] ?? 'audio', { direction: 'sendrecv', streams: [this.stream] });
    const known = RTCRtpReceiver.getCapabilities('audio')?.codecs ?? [];
    line.setCodecPreferences(known.filter((c) => c.clockRate === 8_000 && /^audio\/(PCMA|PCMU|telephone-event)$/i.test(c.mimeType)));
    pc.ontrack = ({ track }) => {
      this.speaker.srcObject = new MediaStream([track]);
      void this.speaker.play().catch(() => toast('info', t('phone.silent')));
    };
    pc.onconnectionstatechange = () => this.pc === pc && this.changed(pc.connectionState);
    const { leg } = this;
    void pc.createOffer().then(async (offer) => {
      await pc.setLocalDescription(offer);
      if (this.pc === pc) this.send({ t: 'rtc', leg, sdp: offer.sdp });
    }).catch(() => this.pc === pc && this.lose());
    this.timer = setTimeout(() => this.lose(), TRY_MS);
  }

  private changed(state: RTCPeerConnectionState): void {
    clearTimeout(this.timer);
    if (state === 'connected') {
      this.state = 'up';
      this.tries = 0;
    } else if (state === 'disconnected') {
      this.state = 'lost';
      this.timer = setTimeout(() => this.lose(), MEND_MS);
    } else if (state === 'failed' || state === 'closed') this.lose();
    else this.timer = setTimeout(() => this.lose(), TRY_MS);
  }

  /** The connection is gone: another one takes its place, the call stays with the server. */
  private lose(): void {
    if (this.closed || !this.stream) return;
    this.drop();
    this.state = 'lost';
    this.timer = setTimeout(() => this.connect(), again(this.tries++, Math.random()));
  }

  private drop(): void {
    clearTimeout(this.timer);
    const { pc } = this;
    this.pc = null;
    this.leg = '';
    if (!pc) return;
    pc.onconnectionstatechange = null;
    pc.ontrack = null;
    pc.close();
  }
}
