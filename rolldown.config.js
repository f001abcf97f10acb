// One file for each entry, and the parts they share: a program that starts reads a handful of files instead of sixty, which
// halves the time to the first call.
import { isAbsolute } from 'node:path'
import { defineConfig } from 'rolldown'

const entries = [
  'index',
  'kamailio/index',
  'ng/index',
  'core/bencode',
  'core/sdp',
  'redis/index',
  'relay/index',
  'testing/index',
  // No entries of the package: the benchmarks time their functions alone.
  'core/ng',
  'core/sdp-lines',
]

export default defineConfig({
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
