// Packs the package, installs it into an empty project and uses it there: from ES modules and from require, in a thread, and bundled
// by esbuild and vite; and looks at what it carries and how large it is.
import { execFileSync } from 'node:child_process'
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { build as esbuild } from 'esbuild'
import { build as vite } from 'vite'

const root = new URL('../../..', import.meta.url).pathname
const directory = mkdtempSync(join(tmpdir(), 'consumer-'))
/** @type {(command: string, ...args: string[]) => string} */
const run = (command, ...args) =>
  execFileSync(command, args, { cwd: directory, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
const inProject = (/** @type {string} */ name) => join(directory, name)
const inPackage = (/** @type {string} */ name) => join(directory, 'node_modules/rtpproxy-ng', name)

const entries = [
  ['RtpProxyNg, SipMessage', 'rtpproxy-ng'],
  ['loadModule', 'rtpproxy-ng/kamailio'],
  ['EmbeddedRelay', 'rtpproxy-ng/relay'],
  ['encode, decode', 'rtpproxy-ng/bencode'],
  ['parseSdp', 'rtpproxy-ng/sdp'],
  ['redisCallStore', 'rtpproxy-ng/redis'],
  ['NgClient', 'rtpproxy-ng/ng'],
  ['managementServer', 'rtpproxy-ng/management'],
  ['prometheusMetrics', 'rtpproxy-ng/prometheus'],
  ['FakeRtpEngine', 'rtpproxy-ng/testing'],
  ['b2buaMedia', 'rtpproxy-ng/drachtio'],
  ['sipAdapter', 'rtpproxy-ng/sip'],
]
const all = entries.map(([names]) => names).join(', ')
const done = (/** @type {string} */ how) =>
  `use({ ${all} }).then(() => console.log('${how}: ok'), (error) => { console.error(error); process.exit(1) })\n`

/** Bytes: the tarball, of which documentation (its API pages 60,000) and examples are some 130,000, and what a bundle of one entry may have at most, with all that it loads on demand. */
const PACKED = 480_000
const BUNDLED = {
  'rtpproxy-ng': 195_000,
  'rtpproxy-ng/ng': 140_000,
  'rtpproxy-ng/bencode': 45_000,
  'rtpproxy-ng/sdp': 45_000,
}

/** What is built, and what those read who have nothing but the package. */
const SHIPPED =
  /^(dist\/|examples\/|docs\/((api\/(rtpproxy-ng\/)?)?[A-Za-z-]+\.md|charts\/[a-z-]+\.svg|grafana\/rtpproxy-ng\.json)$|package\.json$|(README|CHANGELOG|SECURITY)\.md$|LICENSE$)/

function pack() {
  /** @type {{filename: string, size: number, files: {path: string}[]}[]} */
  const [packed] = JSON.parse(
    execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', directory], {
      cwd: root,
      encoding: 'utf8',
    }),
  )
  if (packed === undefined) throw new Error('npm pack packed nothing')
  const foreign = packed.files.map(({ path }) => path).filter((path) => !SHIPPED.test(path))
  if (foreign.length > 0) throw new Error(`the package carries ${foreign.join(', ')}`)
  console.log(`${packed.filename}: ${packed.files.length} files, ${packed.size} bytes of ${PACKED}`)
  if (packed.size > PACKED) throw new Error('the package is too large')
  return packed.filename
}

/** @param {string} filename */
function install(filename) {
  writeFileSync(inProject('package.json'), '{"name":"consumer","private":true}')
  run('npm', 'install', '--silent', '--no-audit', '--no-fund', '--offline', inProject(filename))
  const installed = readdirSync(inProject('node_modules')).filter((name) => !name.startsWith('.'))
  if (installed.join() !== 'rtpproxy-ng') throw new Error('the package brought dependencies along')
  /** @type {{ scripts: Record<string, string> }} */
  const { scripts } = JSON.parse(readFileSync(inPackage('package.json'), 'utf8'))
  const atInstallation = ['preinstall', 'install', 'postinstall', 'preprepare', 'prepare', 'postprepare']
  const there = atInstallation.filter((name) => name in scripts)
  if (there.length > 0) throw new Error(`the package has install scripts: ${there.join(', ')}`)
}

/** The way from the README to one's goal is in the package: every link of every page, but to the pictures of the status page, which weigh more than all pages. */
function followLinks() {
  const pages = readdirSync(inPackage('.'), { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.md'),
  )
  for (const page of pages) {
    const text = readFileSync(inPackage(page), 'utf8').replaceAll(/```[\s\S]*?```/g, '')
    for (const [, target = ''] of text.matchAll(/\]\(([^)#\s]+)[^)]*\)/g)) {
      if (/^https?:/.test(target) || target.startsWith('screenshots/')) continue
      if (!existsSync(join(dirname(inPackage(page)), target)))
        throw new Error(`${page} leads to ${target}, which is not there`)
    }
  }
  console.log(`the links of ${pages.length} pages: ok`)
}

/** The command, as npm has installed it. */
function runCommand() {
  const command = inProject('node_modules/.bin/rtpproxy-ng')
  const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'))
  if (run(command, '--version').trim() !== version) throw new Error('the command says another version')
  const shown = run(command, 'demo')
  if (!shown.includes('the call was cleared')) throw new Error(`the demonstration shows ${shown}`)
  console.log('the command: ok')
}

function writePrograms() {
  copyFileSync(new URL('use.js', import.meta.url), inProject('use-all.mjs'))
  const imports = entries.map(([names, from]) => `import { ${names} } from '${from}'\n`).join('')
  const requires = entries.map(([names, from]) => `const { ${names} } = require('${from}')\n`).join('')
  const own = "import { use } from './use-all.mjs'\n"
  writeFileSync(inProject('esm.mjs'), `${imports}${own}${done('ES modules')}`)
  writeFileSync(
    inProject('cjs.cjs'),
    `${requires}const { use } = require('./use-all.mjs')\n${done('require')}`,
  )
  writeFileSync(inProject('bundled.mjs'), `${imports}${own}${done('bundled')}`)
  const worker =
    "import { Worker } from 'node:worker_threads'\nnew Worker(new URL('./esm.mjs', import.meta.url))\n"
  writeFileSync(inProject('worker.mjs'), worker)
}

async function bundleWithEsbuild() {
  await esbuild({
    entryPoints: [inProject('bundled.mjs')],
    outfile: inProject('esbuild.mjs'),
    bundle: true,
    platform: 'node',
    format: 'esm',
    // The optional peers are not there: their imports stay, and fail when they are asked for.
    logLevel: 'error',
  })
  process.stdout.write(`esbuild, ${run(process.execPath, 'esbuild.mjs')}`)
}

async function bundleWithVite() {
  await vite({
    root: directory,
    logLevel: 'error',
    build: { ssr: inProject('bundled.mjs'), outDir: inProject('vite'), target: 'node20' },
    ssr: {
      noExternal: ['rtpproxy-ng'],
      external: ['ws', 'redis', 'fastify', '@fastify/rate-limit', 'prom-client'],
    },
  })
  const [file = ''] = readdirSync(inProject('vite')).filter((name) => /^bundled\.m?js$/.test(name))
  process.stdout.write(`vite, ${run(process.execPath, join('vite', file))}`)
}

/** What is not asked for must not be in a bundle: an entry alone is as large as it needs. */
async function checkSizes() {
  for (const [from, most] of Object.entries(BUNDLED)) {
    const [names] = entries.find(([, entry]) => entry === from) ?? []
    const outfile = inProject('size.mjs')
    await esbuild({
      stdin: { contents: `import { ${names} } from '${from}'\nconsole.log(${names})`, resolveDir: directory },
      outfile,
      bundle: true,
      minify: true,
      platform: 'node',
      format: 'esm',
      logLevel: 'error',
    })
    const { size } = statSync(outfile)
    console.log(`${from}: ${size} bytes of ${most}, bundled and minified`)
    if (size > most) throw new Error(`${from} is too large`)
  }
}

try {
  install(pack())
  followLinks()
  writePrograms()
  for (const program of ['esm.mjs', 'cjs.cjs', 'worker.mjs'])
    process.stdout.write(run(process.execPath, program))
  runCommand()
  await bundleWithEsbuild()
  await bundleWithVite()
  await checkSizes()
} finally {
  rmSync(directory, { recursive: true })
}
