// One file for each entry, and the parts they share: a program that starts reads a handful of files instead of sixty, which
// halves the time to the first call.
import { readFileSync } from 'node:fs'
import { dirname, isAbsolute, join } from 'node:path'
import { defineConfig } from 'rolldown'

const entries = [
  'index',
  'adapters/drachtio/index',
  'adapters/sip/index',
  'kamailio/index',
  'management/index',
  'ng/index',
  'prometheus/index',
  'core/bencode',
  'core/sdp',
  'redis/index',
  'relay/index',
  'testing/index',
  // No entries of the package: the benchmarks time their functions alone.
  'core/ng',
  'core/sdp-lines',
]

/** `import text from './file?raw'`: the file as text, as vitest has it. */
const raw = {
  name: 'raw',
  /** @param {string} id @param {string | undefined} importer */
  resolveId: (id, importer) => (id.endsWith('?raw') ? join(dirname(importer ?? ''), id) : undefined),
  /** @param {string} id */
  load: (id) =>
    id.endsWith('?raw')
      ? `export default ${JSON.stringify(readFileSync(id.slice(0, -4), 'utf8'))}`
      : undefined,
}

export default defineConfig({
  plugins: [raw],
  input: Object.fromEntries(entries.map((name) => [name, `src/${name}.ts`])),
  platform: 'node',
  external: (id) => !id.startsWith('.') && !isAbsolute(id),
  output: {
    dir: 'dist',
    cleanDir: true,
    format: 'esm',
    entryFileNames: '[name].js',
    chunkFileNames: 'chunks/[name].js',
    // Each file costs most of a millisecond, so what every entry needs is one.
    codeSplitting: { groups: [{ name: 'core', test: /src\/(errors|core\/(?!sdp))/ }] },
  },
})
