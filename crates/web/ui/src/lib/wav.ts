// Peaks of a two-channel WAV (16-bit PCM) for drawing; the file itself plays in an <audio>.
export interface Peaks {
  seconds: number;
  /** One list a channel, 0…1. */
  channels: number[][];
}

export function peaks(buffer: ArrayBuffer, columns: number): Peaks | null {
  const view = new DataView(buffer);
  const word = (at: number) => String.fromCharCode(view.getUint8(at), view.getUint8(at + 1), view.getUint8(at + 2), view.getUint8(at + 3));
  if (buffer.byteLength < 44 || word(0) !== 'RIFF' || word(8) !== 'WAVE') return null;
  let rate = 0;
  let count = 0;
  for (let at = 12; at + 8 <= buffer.byteLength; ) {
    const id = word(at);
    const size = Math.min(view.getUint32(at + 4, true), buffer.byteLength - at - 8);
    if (id === 'fmt ') {
      if (view.getUint16(at + 8, true) !== 1 || view.getUint16(at + 22, true) !== 16) return null;
      count = view.getUint16(at + 10, true);
      rate = view.getUint32(at + 12, true);
    }
    if (id === 'data' && count > 0 && rate > 0) return cut(view, at + 8, size, count, rate, columns);
    at += 8 + size + (size & 1);
  }
  return null;
}

function cut(view: DataView, from: number, size: number, count: number, rate: number, columns: number): Peaks {
  const frames = Math.floor(size / (2 * count));
  const each = Math.max(1, Math.ceil(frames / columns));
  const channels = Array.from({ length: count }, (_, c) => {
    const list: number[] = [];
    for (let start = 0; start < frames; start += each) {
      let top = 0;
      const end = Math.min(frames, start + each);
      for (let i = start; i < end; i++) top = Math.max(top, Math.abs(view.getInt16(from + 2 * (i * count + c), true)));
      list.push(top / 32768);
    }
    return list;
  });
  return { seconds: frames / rate, channels };
}
