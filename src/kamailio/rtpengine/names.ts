/** What a parameter of the `rtpengine` module takes. */
export type ParameterKind = 'string' | 'integer'

const SAMPLES = ['pv', 'packetloss_pv', 'jitter_pv', 'roundtrip_pv', 'roundtrip_leg_pv'] as const
const EXTREMES = ['pv', 'at_pv', 'packetloss_pv', 'jitter_pv', 'roundtrip_pv', 'roundtrip_leg_pv'] as const

/** `mos_min_pv`, `mos_average_samples_B_pv` and so on: every parameter that names a variable for a figure of call quality. */
function mosNames(): string[] {
  const names: string[] = []
  for (const side of ['', '_A', '_B']) {
    const put = (kind: string, what: string) =>
      names.push(`mos_${kind}${what === 'pv' ? '' : `_${what.slice(0, -3)}`}${side}_pv`)
    for (const what of EXTREMES) {
      put('min', what)
      put('max', what)
    }
    for (const what of [...SAMPLES, 'samples_pv']) put('average', what)
    if (side !== '') names.push(`mos${side}_label_pv`)
  }
  return names
}

/** The 56 of them. */
export const MOS_PARAMETERS: readonly string[] = mosNames()

/** Parameters that name a variable for a field of a DTMF event. */
export const DTMF_PARAMETERS = [
  'dtmf_event',
  'dtmf_event_callid',
  'dtmf_event_source_tag',
  'dtmf_event_timestamp',
  'dtmf_event_source_label',
  'dtmf_event_tags',
  'dtmf_event_type',
  'dtmf_event_source_ip',
  'dtmf_event_duration',
  'dtmf_event_volume',
] as const

const INTEGERS = [
  'rtpengine_disable_tout',
  'aggressive_redetection',
  'rtpengine_tout_ms',
  'rtpengine_retr',
  'queried_nodes_limit',
  'rtpengine_allow_op',
  'hash_algo',
  'setid_default',
  'control_cmd_tos',
  'ping_mode',
  'ping_interval',
  'hash_table_size',
  'hash_table_tout',
  'enable_dmq',
  'write_sdp_pv_mode',
] as const

const STRINGS = [
  'rtpengine_sock',
  'setid_avp',
  'extra_id_pv',
  'force_send_interface',
  'wsapi',
  'db_url',
  'table_name',
  'setid_col',
  'url_col',
  'weight_col',
  'disabled_col',
  'dmq_peer_id',
  'read_sdp_pv',
  'write_sdp_pv',
  'rtp_inst_pvar',
  'media_duration',
  'dtmf_events_sock',
  'event_callback',
] as const

/** Every parameter of the `rtpengine` module, and whether it is a number. */
export const RTPENGINE_TYPES: Readonly<Record<string, ParameterKind>> = Object.fromEntries([
  ...INTEGERS.map((name) => [name, 'integer'] as const),
  ...[...STRINGS, ...DTMF_PARAMETERS, ...MOS_PARAMETERS].map((name) => [name, 'string'] as const),
])

/** What has nothing to apply to here, and what to do instead. */
export const NOT_APPLICABLE: Readonly<Record<string, string>> = {
  hash_table_size: 'the memory of calls grows by itself',
  wsapi: 'WebSocket needs only the package ws',
  control_cmd_tos: 'Node cannot set the TOS of a UDP socket',
  db_url: 'call setNodes() with what your database has',
  table_name: 'call setNodes() with what your database has',
  setid_col: 'call setNodes() with what your database has',
  url_col: 'call setNodes() with what your database has',
  weight_col: 'call setNodes() with what your database has',
  disabled_col: 'call setNodes() with what your database has',
  enable_dmq: 'share calls through the option store (rtpproxy-ng/redis)',
  dmq_peer_id: 'share calls through the option store (rtpproxy-ng/redis)',
  event_callback: 'listen with the option onDtmf of loadRtpengine()',
}

/** Values that ask for what is done here anyway, so that there is nothing to warn of. */
export const DONE_ANYWAY: Readonly<Record<string, string | number>> = {
  wsapi: 'lwsc',
  control_cmd_tos: -1,
  enable_dmq: 0,
}
