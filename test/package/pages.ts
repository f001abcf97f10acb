import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

const root = new URL('../..', import.meta.url)

/** A page of the documentation, by its path in the project. */
export function readPage(path: string): string {
  return readFileSync(new URL(path, root), 'utf8')
}

/** The blocks of JavaScript on a page, in order. */
export function snippetsOf(page: string): string[] {
  return [...page.matchAll(/```js\n([\s\S]*?)```/g)].map(([, code = '']) => code)
}

/** The rows of the table below the header that begins with `first`, cells as text. */
export function tableOf(page: string, first: string): string[][] {
  const lines = page.split('\n')
  const header = lines.findIndex((line) => line.startsWith(`| ${first} `))
  if (header < 0) throw new Error(`no table begins with ${first}`)
  const rows: string[][] = []
  for (const line of lines.slice(header + 2)) {
    if (!line.startsWith('|')) break
    // A bar in a cell is written with a backslash.
    const cells = line.slice(1, line.lastIndexOf('|')).split(/(?<!\\)\|/)
    rows.push(cells.map((cell) => cell.trim().replaceAll('\\|', '|')))
  }
  return rows
}

/** Runs a program as a user of the package would, and returns what it printed. */
export function run(program: string): string {
  return execFileSync(process.execPath, ['--input-type=module', '--eval', program], {
    cwd: root,
    encoding: 'utf8',
    timeout: 15_000,
  })
}
