import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const source = fileURLToPath(new URL('../src', import.meta.url))
const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((name) =>
  name.endsWith('.ts'),
)

/** The folders in their order, with what each may use beside `errors.ts`. */
const CORE = ['core']
const PROTOCOL = [...CORE, 'protocol']
const NETWORK = [...PROTOCOL, 'network']
const NODES = [...NETWORK, 'nodes']
const DIAGNOSTICS = [...NODES, 'diagnostics']
const MODULE = [...DIAGNOSTICS, 'module']
const USES: Readonly<Record<string, readonly string[]>> = {
  core: [],
  protocol: CORE,
  network: PROTOCOL,
  nodes: NETWORK,
  diagnostics: NODES,
  module: DIAGNOSTICS,
  dtmf: [],
  timeouts: ['dtmf'],
  session: PROTOCOL,
  ng: [...NODES, 'dtmf', 'timeouts', 'session'],
  relay: NETWORK,
  testing: [...CORE, 'relay'],
  redis: ['nodes'],
  management: MODULE,
  prometheus: MODULE,
  adapters: MODULE,
  kamailio: [...MODULE, 'management', 'dtmf'],
  cli: [...MODULE, 'management', 'relay', 'kamailio', 'ng'],
}

const folderOf = (path: string): string => (path.includes('/') ? path.split('/')[0]! : '')

function importsOf(path: string): string[] {
  const text = readFileSync(join(source, path), 'utf8')
  return [...text.matchAll(/(?:from|import\() ?'(\.[^']+)'/g)].map(([, target = '']) =>
    normalize(join(dirname(path), target)),
  )
}

describe('the folders of the sources', () => {
  it('are all of them in the order', () => {
    const folders = new Set(files.map(folderOf).filter((folder) => folder !== ''))
    expect([...folders].sort()).toEqual(Object.keys(USES).sort())
  })

  it.each(Object.entries(USES))('use only what stands before them: %s', (folder, allowed) => {
    for (const path of files.filter((path) => folderOf(path) === folder))
      for (const target of importsOf(path)) {
        if (target === 'errors.ts' || folderOf(target) === folder) continue
        expect(allowed, `${path} imports ${target}`).toContain(folderOf(target))
      }
  })

  it('import the public face nowhere, and touch WebAssembly in the core alone', () => {
    for (const path of files) {
      expect(importsOf(path), path).not.toContain('index.ts')
      if (folderOf(path) !== 'core')
        expect(readFileSync(join(source, path), 'utf8'), path).not.toMatch(/\bWebAssembly\./)
    }
  })

  it('have no circles', () => {
    const left = new Map(
      files.map((path) => [path, importsOf(path).filter((target) => target.endsWith('.ts'))]),
    )
    // Files that import nothing which is left go, until none can.
    for (let before = -1; before !== left.size; ) {
      before = left.size
      for (const [path, targets] of left) if (!targets.some((target) => left.has(target))) left.delete(path)
    }
    expect([...left.keys()]).toEqual([])
  })
})
