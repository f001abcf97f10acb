import { describe, expect, it } from 'vitest'
import { crc32, hashBalancing } from '../../../src/kamailio/rtpengine/hash.ts'
import { NOT_APPLICABLE, RTPENGINE_TYPES } from '../../../src/kamailio/rtpengine/names.ts'
import { checkRtpengine, readRtpengineConfiguration } from '../../../src/kamailio/rtpengine/parameters.ts'

describe('the parameters of the rtpengine module', () => {
  it('are 99, and those that change nothing give a warning that says why', () => {
    const names = Object.keys(RTPENGINE_TYPES)
    expect(names.length).toBe(99)
    const given = Object.fromEntries(
      Object.keys(NOT_APPLICABLE).map((name) => [name, RTPENGINE_TYPES[name] === 'integer' ? 2 : 'x']),
    )
    const { warnings } = checkRtpengine(given)
    expect(warnings.map(({ parameter }) => parameter).sort()).toEqual(Object.keys(NOT_APPLICABLE).sort())
    expect(warnings.find(({ parameter }) => parameter === 'wsapi')?.message).toContain('the package ws')
  })

  it('give no warning for what is done anyway, or is not asked for', () => {
    const given = {
      wsapi: 'lwsc',
      control_cmd_tos: -1,
      enable_dmq: 0,
    }
    expect(checkRtpengine({ ...given, db_url: '' }).warnings).toEqual([])
    expect(checkRtpengine({ ...given, enable_dmq: 1 }).warnings).toMatchObject([{ parameter: 'enable_dmq' }])
  })

  it('put sockets without a set into the default one', () => {
    const rtpengine_sock = ['udp:127.0.0.1:2223=2', '1 == udp:127.0.0.1:2224', ' ']
    const { options, defaultSet } = checkRtpengine({ rtpengine_sock, setid_default: 7 })
    expect(options.sockets).toEqual(['7 == udp:127.0.0.1:2223=2', '1 == udp:127.0.0.1:2224', ' '])
    expect(defaultSet).toBe(7)
  })

  it('become options with the defaults of the module', () => {
    const { options, defaultSet, warnings } = checkRtpengine({ rtpengine_sock: 'udp:127.0.0.1:2223' })
    expect(options).toMatchObject({
      sockets: ['udp:127.0.0.1:2223'],
      timeoutMs: 1000,
      attempts: 5,
      disableMs: 60_000,
      nodesPerCommand: 30,
      redetect: true,
      pingAtStart: true,
      pingMs: 60_000,
      affinity: { lifetimeMs: 3_600_000 },
    })
    expect([defaultSet, warnings]).toEqual([0, []])
  })

  it('say how many media proxies are tried, and when they are pinged', () => {
    const given = { queried_nodes_limit: 4, aggressive_redetection: 0, ping_mode: 0 }
    const { options, warnings } = checkRtpengine(given)
    expect(options).toMatchObject({ nodesPerCommand: 4, redetect: false, pingAtStart: false })
    expect(warnings).toEqual([])
  })

  it('say where everything is sent from', () => {
    const at = (force_send_interface: string) =>
      checkRtpengine({ rtpengine_sock: 'udp:127.0.0.1:2223 ws://media.example', force_send_interface })
    expect(at('127.0.0.2')).toMatchObject({ options: { localAddress: '127.0.0.2' }, warnings: [] })
    expect(at('').options.localAddress).toBeUndefined()
  })

  it('are read from a kamailio.cfg, several sockets as so many sets', () => {
    const given = readRtpengineConfiguration(`
      loadmodule "rtpengine.so"
      modparam("rtpengine", "rtpengine_sock", "1 == udp:127.0.0.1:2223=1 udp:127.0.0.1:2224=2")
      modparam("rtpengine", "rtpengine_sock", "2 == udp:127.0.0.1:2225")
      modparam("rtpengine", "rtpengine_tout_ms", 250)
      modparam("rtpengine", "mos_min_at_A_pv", "$avp(x)")
      modparam("rtpproxy-ng", "rtpproxy_sock", "udp:127.0.0.1:1")
    `)
    expect(given).toEqual({
      rtpengine_sock: ['1 == udp:127.0.0.1:2223=1 udp:127.0.0.1:2224=2', '2 == udp:127.0.0.1:2225'],
      rtpengine_tout_ms: 250,
      mos_min_at_A_pv: '$avp(x)',
    })
  })

  it.each([
    [{ rtpengine_tout_m: 1 }, 'rtpengine_tout_m', "did you mean 'rtpengine_tout_ms'?"],
    [{ rtpengine_retr: 0 }, 'rtpengine_retr', 'from 1 to 1000, not 0'],
    [{ rtpengine_retr: '5' }, 'rtpengine_retr', 'must be a number, not 5'],
    [{ ping_mode: 'yes' }, 'ping_mode', 'must be a number, not yes'],
    [{ ping_mode: 2 }, 'ping_mode', 'from 0 to 1, not 2'],
    [{ queried_nodes_limit: 0 }, 'queried_nodes_limit', 'from 1 to 30, not 0'],
    [{ queried_nodes_limit: 31 }, 'queried_nodes_limit', 'from 1 to 30, not 31'],
    [{ force_send_interface: 'eth0' }, 'force_send_interface', "'eth0' is no IP address to send from"],
    [
      { force_send_interface: '::1', rtpengine_sock: 'udp:127.0.0.1:2223' },
      'force_send_interface',
      'udp:127.0.0.1:2223 cannot be reached from ::1, which is IPv6',
    ],
    [{ aggressive_redetection: 2 }, 'aggressive_redetection', 'from 0 to 1, not 2'],
    [{ rtpengine_sock: 'udp:a:99999' }, 'rtpengine_sock', "'99999' is no port"],
    [{ rtpengine_sock: 'udp:a:x', setid_default: 3 }, 'rtpengine_sock', "media proxy 'udp:a:x'"],
    [{ rtpengine_sock: 'x == udp:a' }, 'rtpengine_sock', "'x' is no set id"],
    [{ dtmf_events_sock: '2223' }, 'dtmf_events_sock', 'ADDRESS:PORT'],
    [{ rtpengine_sock: 5 as never }, 'rtpengine_sock', 'a string or a list of strings'],
    [{ mos_min_pv: '$ci' }, 'mos_min_pv', 'cannot be written to'],
    [{ dtmf_event: 'x' }, 'dtmf_event', 'cannot be written to'],
    [{ extra_id_pv: 7 }, 'extra_id_pv', 'must be a string'],
    [{ setid_avp: '$nothing' }, 'setid_avp', 'is not supported'],
  ])('refuse %j', (given, option, message) => {
    expect(() => checkRtpengine(given)).toThrow(
      expect.objectContaining({ option, message: expect.stringContaining(message) }),
    )
  })

  it('say in which line of a kamailio.cfg what is wrong', () => {
    const inLine3 = (name: string, value: string) => () =>
      readRtpengineConfiguration(`\n\nmodparam("rtpengine", "${name}", "${value}")`)
    expect(inLine3('mos_minpv', '$avp(x)')).toThrow(/line 3: .*mos_minpv.*did you mean 'mos_min_pv'/s)
    expect(inLine3('rtpengine_sock', 'udp:a:x')).toThrow("line 3: media proxy 'udp:a:x'")
    expect(inLine3('dtmf_events_sock', 'x')).toThrow('line 3: ')
    expect(inLine3('force_send_interface', 'x')).toThrow('line 3: ')
  })
})

describe('hash_algo', () => {
  const node = (url: string, weight: number) => ({ url, weight, open: 0, calls: 0 })
  const call = (callId: string) => ({ callId }) as never

  it('2 is CRC-32 as everybody counts it', () => {
    expect(crc32(Buffer.from('123456789'))).toBe(0xcbf43926)
  })

  it('1 adds up the bytes of the SHA-1 as signed ones, in 32 bits', () => {
    // The bytes of 2886b55081c98bc1429f02864b6c1bc7e16e7cac are -318 together, which C takes for 4294966978.
    const nodes = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((url) => node(url, 1)) as never
    expect(hashBalancing(1)(call('call-2'), nodes)!.url).toBe('abcdefg'[4_294_966_978 % 7])
  })

  it.each([1, 2] as const)(
    '%i gives each node its share of the calls, and a call always the same node',
    (algorithm) => {
      const nodes = [node('a', 1), node('b', 3)] as never
      const choose = hashBalancing(algorithm)
      const counts = new Map<string, number>()
      for (let i = 0; i < 4000; i++) {
        const first = choose(call(`call-${i}@host`), nodes)!
        expect(choose(call(`call-${i}@host`), nodes)).toBe(first)
        counts.set(first.url, (counts.get(first.url) ?? 0) + 1)
      }
      expect(counts.get('b')! / counts.get('a')!).toBeGreaterThan(2.3)
      expect(counts.get('b')! / counts.get('a')!).toBeLessThan(3.9)
    },
  )
})
