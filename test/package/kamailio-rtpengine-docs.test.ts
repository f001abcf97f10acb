import { describe, expect, it } from 'vitest'
import { RtpengineModule } from '../../src/kamailio/rtpengine/module.ts'
import {
  DTMF_PARAMETERS,
  MOS_PARAMETERS,
  NOT_APPLICABLE,
  RTPENGINE_TYPES,
} from '../../src/kamailio/rtpengine/names.ts'
import { readPage, run, snippetsOf, tableOf } from './pages.ts'

const page = readPage('docs/kamailio-rtpengine.md')
const names = (cell = ''): string[] => [...cell.matchAll(/`([^`(]+)[^`]*`/g)].map(([, name = '']) => name)

describe("the page on Kamailio's module rtpengine", () => {
  it('has every function of the module', () => {
    const shown = tableOf(page, 'Function').flatMap(([cell]) => names(cell))
    const own = RtpengineModule.prototype
    const methods = [own, Object.getPrototypeOf(own)].flatMap((one) => Object.getOwnPropertyNames(one))
    expect(shown.sort()).toEqual(methods.filter((name) => name.includes('_')).sort())
    expect(shown).toHaveLength(26)
  })

  it('has every parameter, with effect or without', () => {
    const shown = tableOf(page, 'Parameter').flatMap(([cell]) => names(cell))
    const grouped: readonly string[] = [...DTMF_PARAMETERS, ...MOS_PARAMETERS]
    const single = Object.keys(RTPENGINE_TYPES).filter(
      (name) => !grouped.includes(name) && !(name in NOT_APPLICABLE),
    )
    expect(shown.filter((name) => !grouped.includes(name)).sort()).toEqual(single.sort())
    expect(page).toContain(`\`mos_min_pv\` and ${MOS_PARAMETERS.length - 1} more`)
    expect(page).toContain(`\`dtmf_event\` and ${DTMF_PARAMETERS.length - 1} more`)
    const without = tableOf(page, 'Without effect').map(([cell, instead]) => [names(cell)[0], instead])
    expect(without).toEqual(Object.entries(NOT_APPLICABLE))
  })

  it('has code that runs', () => {
    const [code = ''] = snippetsOf(page)
    const given = `
      import { FakeRtpEngine } from 'rtpproxy-ng/testing'
      const engine = new FakeRtpEngine()
      await engine.start()
      const config = \`modparam("rtpengine", "rtpengine_sock", "1 == \${engine.urls[0]}")
        modparam("rtpengine", "setid_avp", "$avp(setid)")
        modparam("rtpengine", "hash_table_size", 512)\`
      const forward = (bytes) => console.log(String(bytes).includes('m=audio 4000'))
      const datagram = Buffer.from('INVITE sip:b@c SIP/2.0\\r\\nFrom: <sip:a@b>;tag=f\\r\\nTo: <sip:b@c>\\r\\nCall-ID: x\\r\\nCSeq: 1 INVITE\\r\\nContent-Type: application/sdp\\r\\n\\r\\nv=0\\r\\no=- 1 1 IN IP4 127.0.0.1\\r\\ns=-\\r\\nc=IN IP4 127.0.0.1\\r\\nt=0 0\\r\\nm=audio 4000 RTP/AVP 0\\r\\n')
    `
    const program = code
      .replace("import { readFileSync } from 'node:fs'\n", '')
      .replace("readFileSync('kamailio.cfg', 'utf8')", 'config')
      .replace('console.warn', 'console.log')
    expect(run(`${given}${program}\nawait engine.close()`)).toBe(
      'hash_table_size changes nothing here: the memory of calls grows by itself\nfalse\n',
    )
  })
})
