import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { command } from './command.ts'

let directory: string
let file: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'cli-'))
  file = join(directory, 'kamailio.cfg')
})
afterEach(() => rmSync(directory, { recursive: true }))

async function check(...lines: string[]) {
  writeFileSync(file, lines.join('\n'))
  const { code, out } = await command('check', '--json', file)
  return { code, ...JSON.parse(out) }
}

describe('check', () => {
  it('tells parameters, media proxies and calls that are taken over', async () => {
    const found = await check(
      'modparam("rtpproxy-ng", "rtpproxy_sock", "1 == udp:10.0.0.1:2223=2 udp:10.0.0.2:2223")',
      'modparam("rtpproxy-ng", "rtpproxy_tout", 2)',
      'modparam("rtpengine", "rtpengine_sock", "udp:10.0.0.3:2223")',
      'route {',
      '  if (is_method("INVITE")) rtpproxy_manage("co");',
      '  rtpengine_manage("replace-origin ICE=remove RTP/SAVPF");',
      '  rtpengine_offer("$var(flags)");',
      '  set_rtp_proxy_set("1"); rtpengine_delete(); start_recording();',
      '  play_media("file=/tmp/x.wav"); block_dtmf();',
      '}',
    )
    expect(found).toMatchObject({ code: 0, errors: [] })
    expect(found.parameters).toEqual([
      {
        ...{ module: 'rtpproxy-ng', parameter: 'rtpproxy_sock', warning: null },
        value: ['1 == udp:10.0.0.1:2223=2 udp:10.0.0.2:2223'],
      },
      { module: 'rtpproxy-ng', parameter: 'rtpproxy_tout', value: 2, warning: null },
      { module: 'rtpengine', parameter: 'rtpengine_sock', value: ['udp:10.0.0.3:2223'], warning: null },
    ])
    expect(found.nodes).toEqual([
      { module: 'rtpproxy-ng', set: 1, url: 'udp:10.0.0.1:2223', weight: 2 },
      { module: 'rtpproxy-ng', set: 1, url: 'udp:10.0.0.2:2223', weight: 1 },
      { module: 'rtpengine', set: 0, url: 'udp:10.0.0.3:2223', weight: 1 },
    ])
    expect(
      found.calls.map(({ line, text, problem }: Record<string, unknown>) => [line, text, problem]),
    ).toEqual([
      [5, 'rtpproxy_manage("co")', null],
      [6, 'rtpengine_manage("replace-origin ICE=remove RTP/SAVPF")', null],
      [7, 'rtpengine_offer("$var(flags)")', null],
      [8, 'set_rtp_proxy_set("1")', null],
      [8, 'rtpengine_delete()', null],
      [8, 'start_recording()', null],
      [9, 'play_media("file=/tmp/x.wav")', null],
      [9, 'block_dtmf()', null],
    ])
  })

  it('warns of parameters that change nothing, which is no failure', async () => {
    const { code, parameters } = await check('modparam("rtpengine", "hash_table_size", 512)')
    expect(code).toBe(0)
    expect(parameters[0].warning).toMatch(/^hash_table_size changes nothing here/)
  })

  it('tells the set of sockets that name none, and what is not read', async () => {
    const found = await check(
      'modparam("rtpengine", "setid_default", 4)',
      'modparam("rtpengine", "rtpengine_sock", "udp:10.0.0.3:2223")',
      'include_file "media.cfg"',
      'import_file "local.cfg" # include_file "no.cfg"',
    )
    expect(found).toMatchObject({
      code: 0,
      errors: [],
      includes: [{ file: 'media.cfg' }, { file: 'local.cfg' }],
    })
    expect(found.nodes).toMatchObject([{ set: 4, url: 'udp:10.0.0.3:2223' }])
  })

  it.each([
    ['route { rtpproxy_offer("q"); }', /unknown flag 'q'/],
    ['route { rtpengine_offer("replace-orgin"); }', /did you mean 'origin'/],
    ['route { rtpproxy_stream2uac("x", "1"); }', /there is no function rtpproxy_stream2uac here/],
  ])('fails for calls that are not understood: %s', async (line, problem) => {
    const { code, calls } = await check(line)
    expect(code).toBe(1)
    expect(calls[0].problem).toMatch(problem)
  })

  it.each([
    ['modparam("rtpengine", "rtpengine_sokk", "x")', /did you mean 'rtpengine_sock'/],
    ['modparam("rtpproxy-ng", "rtpproxy_sock", "udp:")', /udp:/],
    ['modparam("rtpproxy-ng", "rtpproxy_tout", 0)', /rtpproxy_tout must be a whole number/],
    ['#!ifdef X', /has no #!endif/],
  ])('fails for parameters that are wrong, and says it once: %s', async (line, message) => {
    const { code, errors } = await check(line)
    expect(code).toBe(1)
    expect(errors).toEqual([expect.stringMatching(message)])
  })

  it('tells of one parameter that is wrong, and still of all the others', async () => {
    const { code, parameters, nodes, errors } = await check(
      'modparam("rtpproxy-ng", "rtpproxy_sock", "udp:10.0.0.1:2223")',
      'modparam("rtpproxy-ng", "db_url", "mysql://x")',
      'modparam("rtpproxy-ng", "rtpproxy_tout", "two")',
      'modparam("rtpproxy-ng", "rtpproxy_retr", 3)',
    )
    expect(code).toBe(1)
    expect(parameters.map(({ parameter }: { parameter: string }) => parameter)).toEqual([
      'rtpproxy_sock',
      'rtpproxy_retr',
    ])
    expect(nodes).toHaveLength(1)
    expect(errors).toEqual([expect.stringMatching(/^line 2: .*'db_url'/), expect.stringMatching(/^line 3: /)])
  })

  it('says which files are taken in and not read', async () => {
    const { code, includes } = await check(
      'include_file "a.cfg"',
      '# include_file "b.cfg"',
      'import_file "c.cfg"',
    )
    expect([code, includes]).toEqual([
      0,
      [
        { line: 1, file: 'a.cfg' },
        { line: 3, file: 'c.cfg' },
      ],
    ])
    expect((await command('check', file)).out).toContain('not read: a.cfg, which line 1 takes in')
  })

  it('takes no longer for calls that are not closed, or are many', async () => {
    const started = performance.now()
    expect((await check(...Array(20_000).fill('rtpproxy_offer(rtpproxy_offer('))).calls).toHaveLength(40_000)
    // Looked through to the end for each, they would take minutes.
    expect(performance.now() - started).toBeLessThan(15_000)
  })

  it('passes over functions of other modules, and says when there is nothing', async () => {
    writeFileSync(file, 'route { t_relay(); xlog("rtpproxy_manage()"); # rtpproxy_offer()\n}')
    const { code, out } = await command('check', file)
    expect([code, out]).toEqual([0, 'nothing in this file is for the modules rtpproxy-ng and rtpengine\n'])
  })

  it('shows it in tables', async () => {
    writeFileSync(
      file,
      'modparam("rtpproxy-ng", "rtpproxy_sock", "udp:10.0.0.1:2223")\nroute{ rtpproxy_offer("q"); }',
    )
    const { out } = await command('check', file)
    expect(out).toMatch(/^rtpproxy-ng +rtpproxy_sock +udp:10\.0\.0\.1:2223 +taken over$/m)
    expect(out).toMatch(/^2 +rtpproxy_offer\("q"\) +unknown flag 'q' at 0 of 'q'$/m)
  })
})
