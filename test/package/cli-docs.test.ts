import { describe, expect, it } from 'vitest'
import { command } from '../cli/command.ts'
import { readPage, tableOf } from './pages.ts'

const page = readPage('docs/cli.md')

describe('the page on the command', () => {
  it('has every command', async () => {
    const { out } = await command('--help')
    const [, list = ''] = out.split('Commands:\n')
    const there = [...list.matchAll(/^ {2}([a-z]+) /gm)].map(([, name]) => name)
    const shown = tableOf(page, 'Command').map(([usage = '']) => usage.replace(/^`([a-z]+).*/, '$1'))
    expect(shown).toEqual(there.filter((name) => name !== 'help'))
  })

  it('shows what decode writes', async () => {
    const [, hex = '', shown = ''] = /decode --hex '([^']+)'\n([\s\S]*?)```/.exec(page) ?? []
    expect((await command('decode', '--hex', hex)).out).toBe(shown)
  })

  it('has the options it speaks of', async () => {
    const helps = await Promise.all(
      ['show', 'enable', 'drain', 'offer', 'decode', 'bench', ''].map((name) =>
        command(...(name ? [name] : []), '--help'),
      ),
    )
    const all = helps.map(({ out }) => out).join()
    for (const [option = ''] of page.matchAll(/(?<![|-])--[a-z][a-z-]+/g)) expect(all).toContain(option)
  })
})
