import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))
const pages = [
  ...['README.md', 'SECURITY.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'bench/README.md'],
  ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
]

/** What a heading is called in a link, as GitHub makes it. */
function anchorOf(heading: string): string {
  return heading
    .trim()
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .replaceAll(' ', '-')
}

function anchorsOf(page: string): string[] {
  return [...page.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => anchorOf(heading))
}

it.each(pages)('every link of %s leads somewhere', (path) => {
  const page = readFileSync(join(root, path), 'utf8').replaceAll(/```[\s\S]*?```/g, '')
  for (const [, target = ''] of page.matchAll(/\]\(([^)\s]+)\)/g)) {
    if (/^[a-z]+:/.test(target)) continue
    const [file = '', anchor] = target.split('#')
    const at = file === '' ? join(root, path) : join(root, dirname(path), file)
    expect(existsSync(at), `${target} in ${path}`).toBe(true)
    // The anchors of the API pages are made by their generator.
    if (anchor !== undefined && !path.startsWith('docs/api/'))
      expect(anchorsOf(readFileSync(at, 'utf8')), target).toContain(anchor)
  }
})
