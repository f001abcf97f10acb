import { rows as bencode } from './bencode.js'
import { rows as footprint } from './footprint.js'
import { rows as reply } from './reply.js'
import { rows as request } from './request.js'
import { rows as sdp } from './sdp.js'
import { rows as sip } from './sip.js'
import { rows as tcp } from './tcp.js'
import { rows as udp } from './udp.js'

export const rows = [...request, ...reply, ...bencode, ...sip, ...sdp, ...udp, ...tcp, ...footprint]
