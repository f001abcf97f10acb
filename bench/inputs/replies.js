import { encode } from 'rtpproxy-ng/bencode'

// Replies with numbers in them, of the shape rtpengine sends.

const created = 1_795_433_475

/**
 * @param {number} port
 * @param {string} address
 * @param {string} kind
 * @param {number} packets
 */
const stream = (port, address, kind, packets) => ({
  'local port': port,
  'local address': '203.0.113.9',
  family: 'IPv4',
  endpoint: { family: 'IPv4', address, port: port - 18_220 },
  'advertised endpoint': { family: 'IPv4', address, port: port - 18_220 },
  'last packet': created + 93,
  flags: [kind, 'filled', 'confirmed', 'kernelized'],
  SSRC: 3_735_928_559,
  stats: { packets, bytes: packets * 172, errors: 0 },
})

/**
 * @param {string} tag
 * @param {string} other
 * @param {string} address
 * @param {number} port
 */
const party = (tag, other, address, port) => ({
  tag,
  created,
  subscriptions: [{ tag: other, type: 'offer/answer' }],
  subscribers: [{ tag: other, type: 'offer/answer' }],
  medias: [
    {
      index: 1,
      type: 'audio',
      protocol: 'RTP/AVP',
      streams: [stream(port, address, 'RTP', 4651), stream(port + 1, address, 'RTCP', 19)],
      flags: ['initialized', 'send', 'recv'],
    },
  ],
})

/** @param {number} lost */
const quality = (lost) => ({
  'average MOS': { MOS: 43, jitter: 2, 'packet loss': lost, 'round-trip time': 10_712, samples: 18 },
  'lowest MOS': {
    MOS: 41,
    jitter: 7,
    'packet loss': lost + 1,
    'round-trip time': 14_933,
    'reported at': created + 40,
  },
  'highest MOS': {
    MOS: 44,
    jitter: 0,
    'packet loss': 0,
    'round-trip time': 9_120,
    'reported at': created + 15,
  },
})

const alice = 'a73kszlfl-1928301774'
const bob = '8321234356-b0b'

export const queryValue = {
  created,
  created_us: 329_527,
  'last signal': created + 1,
  SSRC: { 3735928559: quality(0), 2882400001: quality(1) },
  tags: { [alice]: party(alice, bob, '192.0.2.7', 30_020), [bob]: party(bob, alice, '192.0.2.130', 30_040) },
  totals: {
    RTP: { packets: 9302, bytes: 1_599_944, errors: 0 },
    RTCP: { packets: 38, bytes: 3_268, errors: 0 },
  },
  result: 'ok',
}
export const queryReply = encode(queryValue)

const commands = [
  'ping',
  'offer',
  'answer',
  'delete',
  'query',
  'list',
  'start recording',
  'stop recording',
  'start forwarding',
  'stop forwarding',
  'block DTMF',
  'unblock DTMF',
  'block media',
  'unblock media',
  'play media',
  'stop media',
  'play DTMF',
  'statistics',
  'silence media',
  'unsilence media',
  'publish',
  'subscribe request',
  'subscribe answer',
  'unsubscribe',
]
/** @param {string} what */
const spread = (what) =>
  Object.fromEntries(
    commands.flatMap((name, i) =>
      ['min', 'max', 'avg'].map((edge) => [`${edge}${name}${what}`, `0.00${1000 + i * 7}`]),
    ),
  )
const relayed = Object.fromEntries(
  ['user', 'kernel'].flatMap((where, i) => [
    [`relayedpackets_${where}`, 881_203_477 + i],
    [`relayedpacketerrors_${where}`, 12 + i],
    [`relayedbytes_${where}`, 151_566_998_044 + i],
  ]),
)

export const statisticsValue = {
  statistics: {
    currentstatistics: {
      sessionsown: 412,
      sessionsforeign: 0,
      sessionstotal: 412,
      transcodedmedia: 31,
      packetrate: 81_904,
      byterate: 14_087_488,
      errorrate: 0,
      media_userspace: 31,
      media_kernel: 793,
      media_mixed: 0,
    },
    totalstatistics: {
      uptime: '1036800',
      managedsessions: 1_290_411,
      rejectedsessions: 3,
      timeoutsessions: 1_902,
      silenttimeoutsessions: 77,
      finaltimeoutsessions: 0,
      offertimeoutsessions: 810,
      regularterminatedsessions: 1_287_207,
      forcedterminatedsessions: 0,
      ...relayed,
      zerowaystreams: 4_012,
      onewaystreams: 18_377,
      avgcallduration: '93.407113',
      totalcallsduration: '120533021.220417',
    },
    intervalstatistics: {
      totalcallsduration: '5604.116803',
      minmanagedsessions: 388,
      maxmanagedsessions: 431,
      ...spread('delay'),
      ...spread('requestrate'),
    },
    controlstatistics: {
      proxies: ['192.0.2.10', '192.0.2.11'].map((proxy) => ({
        proxy,
        ...Object.fromEntries(
          commands.flatMap((name, i) => [
            [`${name}count`, 51_204 + i],
            [`${name}duration`, `0.000${190 + i}`],
          ]),
        ),
      })),
    },
  },
  result: 'ok',
}
export const statisticsReply = encode(statisticsValue)
