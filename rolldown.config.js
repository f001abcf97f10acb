// One file for each entry, and the parts they share: a program that starts reads a handful of files instead of sixty, which
// halves the time to the first call.
import { readdirSync, readFileSync } from 'node:fs'
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

/** What the command is made with: it comes along, so that who installs the library gets no dependencies. */
const BUNDLED =
  /^(commander|cli-table3|cli-progress|picocolors|string-width|strip-ansi|ansi-regex|emoji-regex|is-fullwidth-code-point|@bomb\.sh\/tab)($|\/)/

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

/** The licences of what is bundled, in a file beside the command. */
const licences = {
  name: 'licences',
  /** @this {import('rolldown').PluginContext} */
  generateBundle() {
    /** @type {Map<string, string>} */
    const texts = new Map()
    for (const id of this.getModuleIds()) {
      const [, directory, name] = /^(.*\/node_modules\/((?:@[^/]+\/)?[^/]+))\//.exec(id) ?? []
      if (directory === undefined || name === undefined || texts.has(name)) continue
      const file = readdirSync(directory).find((file) => /^licen[cs]e/i.test(file))
      const { version, license } = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'))
      const text = file === undefined ? license : readFileSync(join(directory, file), 'utf8').trim()
      texts.set(name, `${name} ${version}\n\n${text}\n`)
    }
    const source = [...texts.keys()]
      .sort()
      .map((name) => texts.get(name))
      .join(`\n${'-'.repeat(72)}\n\n`)
    this.emitFile({ type: 'asset', fileName: 'cli/LICENSES.txt', source })
  },
}

export default defineConfig({
  plugins: [raw, licences],
  input: {
    ...Object.fromEntries(entries.map((name) => [name, `src/${name}.ts`])),
    'cli/index': 'src/cli/index.ts',
    'cli/demo-call': 'examples/demo/demo.js',
  },
  platform: 'node',
  external: (id) => !id.startsWith('.') && !isAbsolute(id) && !BUNDLED.test(id),
  output: {
    dir: 'dist',
    cleanDir: true,
    format: 'esm',
    // The docstrings are in the types; a fifth of what is parsed at every start was comments.
    comments: { jsdoc: false },
    entryFileNames: '[name].js',
    chunkFileNames: 'chunks/[name].js',
    // Each file costs most of a millisecond, so what every entry needs is one, and what every client needs another.
    codeSplitting: {
      groups: [
        { name: 'core', test: /src\/(errors|core\/(?!sdp))/, priority: 3 },
        {
          name: 'client',
          test: /src\/(protocol\/(commands|cookie|vocabulary\/given)|network|nodes|module\/(?!orphans|request\/(beyond|message|parameter|parties|rtpengine))|diagnostics\/levels)/,
          priority: 2,
        },
        // Loaded with the first command that the module did not know.
        {
          name: 'beyond',
          test: /src\/(protocol\/(vocabulary|rtpengine-flags)|module\/request\/(message|parameter|parties|rtpengine))/,
          priority: 1,
        },
      ],
    },
  },
})
