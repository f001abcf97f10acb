import { flag } from './values.ts'

/** Values of the list `flags`. */
export const FLAGS = [
  flag('all', [], 'every participant is meant'),
  flag(
    'allow-asymmetric-codecs',
    ['allow-asymmetric-codec', 'allow asymmetric codecs', 'allow asymmetric codec'],
    'accept answers whose payload type numbers differ from the offer',
    { since: 'later' },
  ),
  flag(
    'allow-no-codec-media',
    [
      'allow-no-codec-medias',
      'allow-empty-codec-media',
      'allow-empty-codec-medias',
      'allow no codec media',
      'allow no codec medias',
      'allow empty codec media',
      'allow empty codec medias',
    ],
    'a media left without codecs is rejected instead of restored',
    { since: 'later' },
  ),
  flag('allow-transcoding', ['allow transcoding'], 'subscribe answer may drop codecs'),
  flag('force-transcoding', ['force transcoding'], 'always transcode', { since: 'later' }),
  flag('always-transcode', ['always transcode'], 'older name for accepting every codec'),
  flag('asymmetric', [], 'no endpoint learning'),
  flag('asymmetric-codecs', ['asymmetric codecs'], 'ignored'),
  flag('audio-player', ['audio player', 'player'], 'audio goes through the player', { since: 'later' }),
  flag('bidirectional', [], 'media both ways, in publish, subscribe request, connect and mesh', {
    since: 'later',
  }),
  flag('block-dtmf', ['block-DTMF', 'block dtmf', 'block DTMF'], 'blocks DTMF from the offer or answer on', {
    since: 'later',
  }),
  flag('block-egress', ['block egress'], 'mute other egress while a file plays', { since: 'later' }),
  flag(
    'block-short',
    ['block-shorts', 'block-short-packets', 'block short', 'block shorts', 'block short packets'],
    'drop RTP packets shorter than expected',
    { since: 'later' },
  ),
  flag('debug', ['debugging'], 'debug log for this call'),
  flag('detect-DTMF', ['detect-dtmf', 'detect DTMF', 'detect dtmf'], 'in-band DTMF detector'),
  flag('directional', [], 'only what the party of from-tag sends; in connect only one way', {
    since: 'later',
  }),
  flag('discard-recording', ['discard recording'], 'deletes the files of the recording', { since: 'later' }),
  flag('early-media', ['early media'], 'start player at offer', { since: 'later' }),
  flag('egress', [], 'acts on what is sent, not on what comes in', { documented: false }),
  flag('exclude-recording', ['exclude recording'], 'leave this party out of the recording', {
    since: 'later',
  }),
  flag('fatal', [], 'a delete that finds nothing is an error'),
  flag('fast', [], 'a delete answers no statistics', { since: 'later' }),
  flag('fragment', [], 'SDP is a trickle-ICE fragment'),
  flag(
    'full-rtcp-attribute',
    ['full-RTCP-attribute', 'full rtcp attribute', 'full RTCP attribute'],
    'full a=rtcp',
  ),
  flag('generate-mid', ['generate mid'], 'add a=mid'),
  flag('generate-RTCP', ['generate-rtcp', 'generate RTCP', 'generate rtcp'], 'RTCP of its own'),
  flag(
    'ICE-reject',
    ['ice-reject', 'reject-ice', 'reject-ICE', 'ICE reject', 'ice reject', 'reject ice', 'reject ICE'],
    'reject offered ICE',
  ),
  flag('inactive', [], 'the SDP of a subscription is inactive', { since: 'later' }),
  flag('inject-DTMF', ['inject-dtmf', 'inject DTMF', 'inject dtmf'], 'prepare call for play DTMF'),
  flag('loop-protect', ['loop protect'], 'skip an SDP already processed by this instance'),
  flag('media-handover', ['media handover'], 'follow changed source address'),
  flag(
    'mirror-RTCP',
    ['mirror-rtcp', 'RTCP-mirror', 'rtcp-mirror', 'mirror RTCP', 'mirror rtcp', 'RTCP mirror', 'rtcp mirror'],
    'RTCP goes the other way in a subscription',
  ),
  flag('mix', ['mixed'], 'one medium of each type, mixed', { since: 'later' }),
  flag('NAT-wait', ['nat-wait', 'NAT wait', 'nat wait'], 'hold forwarding until first packet'),
  flag('new-branch', ['new branch'], 'unknown to-tag starts a new party', { since: 'later' }),
  flag(
    'no-codec-renegotiation',
    ['reuse-codecs', 'no codec renegotiation', 'reuse codecs'],
    'keep negotiated codec',
  ),
  flag('no-passthrough', ['no passthrough'], 'never forwards everything as it is', { documented: false }),
  flag('no-player', ['no-audio-player', 'no player', 'no audio player'], 'audio player off', {
    since: 'later',
  }),
  flag('no-port-latching', ['no port latching'], 'port change also with ICE'),
  flag('no-redis-update', ['no redis update'], 'skip Redis write'),
  flag('no-rtcp-attribute', ['no-RTCP-attribute', 'no rtcp attribute', 'no RTCP attribute'], 'no a=rtcp'),
  flag('no-tls-id', ['no tls id'], 'no a=tls-id', { since: 'later' }),
  flag('no-jitter-buffer', ['no jitter buffer'], 'no jitter buffer', { documented: false }),
  flag('original-sendrecv', ['original sendrecv'], 'keep direction attributes'),
  flag('pad-crypto', ['pad crypto'], 'padding in the base64 of a=crypto'),
  flag('passthrough', [], 'forwards everything as it is', { documented: false }),
  flag('pierce-NAT', ['pierce-nat', 'pierce NAT', 'pierce nat'], 'send empty packets first'),
  flag('port-latching', ['port latching'], 'keep local ports'),
  flag('provisional', [], 'the to-tag may change after the final response', { since: 'later' }),
  flag('record-call', ['record call'], 'starts recording'),
  flag(
    'recording-vsc',
    ['recording-VSC', 'recording vsc', 'recording VSC'],
    'digits steer the recording, as the vsc- keys say',
    { since: 'later', documented: false },
  ),
  flag('recording-announcement', ['recording announcement'], 'play file when recording starts', {
    since: 'later',
  }),
  flag('recrypt', [], 'force SRTP decrypt/encrypt', { since: 'later' }),
  flag('reorder-codecs', ['reorder codecs'], 'ignored'),
  flag('reset', [], 'forgets what was learned of ICE and SRTP'),
  flag('single-codec', ['single codec'], 'answer keeps first codec only'),
  flag(
    'SIP-source-address',
    ['sip-source-address', 'SIP source address', 'sip source address'],
    'use received-from as endpoint',
  ),
  flag('SIPREC', ['siprec'], 'the reply to subscribe request says who sends what'),
  flag(
    'skip-recording-db',
    ['skip-recording-database', 'skip recording db', 'skip recording database'],
    'no DB record',
    { since: 'later' },
  ),
  flag('static-codec', ['static-codecs', 'static codec', 'static codecs'], 'keep codecs towards answerer', {
    since: 'later',
  }),
  flag('strict-source', ['strict source'], 'drop packets from other sources'),
  flag('strip-extmap', ['strip extmap'], 'removes all RFC 8285 header extensions'),
  flag('symmetric-codecs', ['symmetric codecs'], 'ignored'),
  flag('to tag', ['to-tag', 'to_tag'], 'the to-tag counts, in delete and subscribe request'),
  flag('trickle-ICE', ['trickle-ice', 'trickle ICE', 'trickle ice'], 'advertise trickle'),
  flag('trust-address', ['trust address'], 'the addresses in the SDP are right (the default)'),
  flag('unidirectional', [], 'kernelize one-way streams'),
  flag('unsubscribe', [], 'mesh ends what was subscribed before', { since: 'later' }),
  flag(
    'webrtc',
    ['webRTC', 'WebRTC', 'WebRtc'],
    'everything a browser needs: DTLS-SRTP with feedback, ICE, trickle, rtcp-mux and BUNDLE offered and required, no SDES, a=mid, no a=rtcp',
    { since: 'later' },
  ),
] as const

/** A value of `flags`, in any of its spellings. */
export type NgFlag = (typeof FLAGS)[number] extends infer F
  ? F extends {
      readonly name: infer N extends string
      readonly spellings: readonly (infer S extends string)[]
    }
    ? N | S
    : never
  : never

/** Beginnings of flags that stand for a value of another key: `replace-origin`, `codec-strip-PCMA`. */
export const FLAG_PREFIXES = [
  'endpoint-learning-',
  'from-tags-',
  'OSRTP-',
  'replace-',
  'rtcp-mux-',
  'BUNDLE-',
  'codec-except-',
  'codec-offer-',
  'codec-strip-',
  'codec-ignore-',
  'SDES-',
  'sdp-attr-add-',
  'sdp-attr-remove-',
  'sdp-attr-substitute-',
  'transcode-',
  'codec-transcode-',
  'codec-mask-',
  'T38-',
  'T.38-',
  'codec-accept-',
  'codec-consume-',
  'codec-set-',
] as const

/** Those that 10.5 does not know. */
export const LATER_FLAG_PREFIXES: readonly (typeof FLAG_PREFIXES)[number][] = [
  'replace-',
  'rtcp-mux-',
  'BUNDLE-',
  'codec-ignore-',
  'sdp-attr-add-',
  'sdp-attr-remove-',
  'sdp-attr-substitute-',
]
