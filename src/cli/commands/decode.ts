import { decode } from '../../core/bencode.ts'
import { readInput } from '../input.ts'
import { type ExitCode, UsageError } from '../outcome.ts'
import { jsonOf, type Report } from '../report.ts'

/** Longest input, in bytes. */
const LONGEST = 64 * 1024 * 1024

/** Bencode to JSON, whoever reads it. */
export async function decodeBytes(
  report: Report,
  { hex, tolerant = false }: { hex?: string; tolerant?: boolean },
  file = '-',
): Promise<ExitCode> {
  const bytes = hex === undefined ? await readInput(file, LONGEST) : bytesOf(hex)
  const { cookie, body } = parted(bytes)
  const value = decode(body, { tolerant, maxBytes: LONGEST, maxDepth: 512 })
  report.line(jsonOf(cookie === undefined ? value : { cookie, message: value }))
  return 0
}

function bytesOf(hex: string): Buffer {
  const digits = hex.replaceAll(/0x|[\s:,]/gi, '')
  if (digits.length % 2 > 0 || !/^[0-9a-f]*$/i.test(digits))
    throw new UsageError('--hex takes pairs of hexadecimal digits')
  return Buffer.from(digits, 'hex')
}

/** A message of NG has a cookie and a space in front, which no bencode begins with; a text file may have a line end behind. */
function parted(bytes: Buffer): { cookie: string | undefined; body: Buffer } {
  const end = bytes.at(-1) === 0x0a ? bytes.length - (bytes.at(-2) === 0x0d ? 2 : 1) : bytes.length
  const [, cookie] = /^([!-~]{1,256}) [dil0-9]/.exec(bytes.subarray(0, 300).toString('latin1')) ?? []
  return { cookie, body: bytes.subarray(cookie === undefined ? 0 : cookie.length + 1, end) }
}
