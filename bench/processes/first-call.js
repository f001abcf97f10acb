import { SipMessage } from 'rtpproxy-ng'

// Import, compile and first call.
const message = Buffer.from('BYE sip:bob@example.com SIP/2.0\r\nCall-ID: 1@192.0.2.7\r\n\r\n')
if (SipMessage.parse(message, { address: '192.0.2.7' }).callId !== '1@192.0.2.7') process.exitCode = 1
