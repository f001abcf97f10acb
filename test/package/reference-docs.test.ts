import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { readPage } from './pages.ts'

it('the reference page is what the tables say', () => {
  const directory = mkdtempSync(join(tmpdir(), 'reference-'))
  try {
    const file = join(directory, 'reference.md')
    const generator = new URL('../../docs/generate-reference.js', import.meta.url)
    execFileSync(process.execPath, [generator.pathname, file])
    expect(readPage('docs/reference.md')).toBe(readFileSync(file, 'utf8'))
  } finally {
    rmSync(directory, { recursive: true })
  }
})
