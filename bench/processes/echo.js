import { serve } from './media-proxy.js'

// The media proxy in a process of its own: node echo.js udp|tcp REPLY-IN-BASE64

const [transport, reply = ''] = process.argv.slice(2)
const { port } = await serve[transport === 'tcp' ? 'tcp' : 'udp'](Buffer.from(reply, 'base64'))
process.send?.(port)
process.on('disconnect', () => process.exit())
