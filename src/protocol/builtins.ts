// Modules of Node that take five milliseconds of a start together, `net` since all of its streams come with it, `buffer` since a
// module that imports it has its files and blobs made. Who parses messages needs none of them, who sends to an IP address over UDP
// two, so they are loaded by the first that does.

export const buffer = (): typeof import('node:buffer') => process.getBuiltinModule('node:buffer')

export const crypto = (): typeof import('node:crypto') => process.getBuiltinModule('node:crypto')

export const dns = (): typeof import('node:dns/promises') => process.getBuiltinModule('node:dns/promises')

export const net = (): typeof import('node:net') => process.getBuiltinModule('node:net')
