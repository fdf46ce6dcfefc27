import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

/** Writes `.br` and `.gz` beside each text file; the server chooses by Accept-Encoding. */
function packed(): Plugin {
  return {
    name: 'marcador-packed',
    apply: 'build',
    writeBundle({ dir }) {
      if (!dir) return;
      for (const name of readdirSync(dir, { recursive: true, encoding: 'utf8' })) {
        if (!/\.(js|css|html|svg|json)$/.test(name)) continue;
        const path = join(dir, name);
        const bytes = readFileSync(path);
        writeFileSync(`${path}.gz`, gzipSync(bytes, { level: 9 }));
        const size = { [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length };
        writeFileSync(`${path}.br`, brotliCompressSync(bytes, { params: size }));
      }
    },
  };
}

const server = process.env.MARCADOR_URL ?? 'http://127.0.0.1:8080';

export default defineConfig({
  plugins: [svelte(), packed()],
  build: { target: 'es2022', assetsInlineLimit: 0, reportCompressedSize: false, sourcemap: false },
  worker: { format: 'es' },
  // The server takes writes and sockets from its own origin only.
  server: { proxy: { '^/(p|a)/': { target: server, changeOrigin: true, headers: { origin: server } }, '/api': { target: server, changeOrigin: true, headers: { origin: server } }, '/ws': { target: server, ws: true, changeOrigin: true, headers: { origin: server } } } },
  test: { include: ['src/**/*.test.ts'], environment: 'node' },
});
