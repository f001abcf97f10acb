import { createRequire } from 'node:module'

// The packages others use for the same work, with the types that they lack.

const require = createRequire(import.meta.url)

/**
 * @typedef {object} Address
 * @property {string} uri
 * @property {{tag?: string}} params
 */
/**
 * @typedef {object} Message of the package `sip`
 * @property {string} [method]
 * @property {string} content
 * @property {{'call-id': string, from: Address, to: Address, via: {params: {branch?: string}}[], cseq: {seq: number, method: string}, 'content-length'?: number}} headers
 */

/** @type {{parse(message: Buffer): Message, stringify(message: Message): string}} */
export const sip = require('sip')

/** @type {{getSIP(message: string): {call_id: string, from_tag: string, to_tag: string | null, cseq: number, method: string, via_branch: string}}} */
export const parsip = require('parsip')

/** @type {{parse(sdp: string): Record<string, unknown>}} */
export const sdpTransform = await import(/** @type {string} */ ('sdp-transform'))

/** @type {{default: {encode(value: unknown): Uint8Array, decode(bytes: Uint8Array): unknown}}} */
export const { default: bencode } = await import(/** @type {string} */ ('bencode'))

/** @type {{encode(value: unknown): Buffer, decode(bytes: Buffer, options?: {stringify?: boolean}): unknown}} */
export const bencodec = require('bencodec')

/** @typedef {import('node:events').EventEmitter & {offer(node: {host: string, port: number}, dictionary: Record<string, unknown>): Promise<Record<string, unknown>>, close(): void}} RtpengineClient */
/** @type {{Client: new (options: {timeout: number, localAddress: string}) => RtpengineClient}} */
export const rtpengineClient = require('rtpengine-client')
