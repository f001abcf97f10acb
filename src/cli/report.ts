import type { WriteStream } from 'node:tty'
import Table from 'cli-table3'
import pc from 'picocolors'
import { RtpProxyNgError } from '../errors.ts'
import { UsageError } from './outcome.ts'

const NO_BORDER = {
  ...{ top: '', 'top-mid': '', 'top-left': '', 'top-right': '' },
  ...{ bottom: '', 'bottom-mid': '', 'bottom-left': '', 'bottom-right': '' },
  ...{ left: '', 'left-mid': '', mid: '', 'mid-mid': '', right: '', 'right-mid': '', middle: '  ' },
}

/** Where results go: to people, or with `--json` to programs. */
export interface Report {
  /** Whether programs read it. */
  readonly isJson: boolean
  /** A result: as JSON for programs; for people what `show` makes of it. */
  result<T>(value: T, show: (value: T) => void): void
  line(text?: string): void
  /** What is waited for, to who watches a terminal: one line, which the next takes the place of. */
  progress(text: string): void
  table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): void
  /** On standard error; as JSON for programs. */
  failure(error: unknown): void
}

export function reportOn(out: NodeJS.WritableStream, err: NodeJS.WritableStream, isJson: boolean): Report {
  const line = (text = ''): void => void out.write(`${text}\n`)
  return {
    isJson,
    result(value, show) {
      if (isJson) line(jsonOf(value))
      else show(value)
    },
    line,
    progress(text) {
      if (!isJson && (err as Partial<WriteStream>).isTTY) err.write(`\r\x1b[K${text}`)
    },
    table(head, rows) {
      const table = new Table({
        head: head.map((text) => pc.bold(text)),
        chars: NO_BORDER,
        style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
      })
      table.push(...rows.map((row) => [...row]))
      for (const text of table.toString().split('\n')) line(text.trimEnd())
    },
    failure(error) {
      const { code, message } = described(error)
      if (isJson) err.write(`${jsonOf({ error: { code, message } })}\n`)
      else {
        // Who typed wrongly has no use for a code.
        const shown = code === undefined || error instanceof UsageError ? '' : pc.dim(` (${code})`)
        err.write(`${pc.red('error')}: ${message}${shown}\n`)
      }
    },
  }
}

/** Our own mistakes keep their stack: they are to be reported. */
function described(error: unknown): { code: string | undefined; message: string } {
  if (error instanceof RtpProxyNgError || error instanceof UsageError)
    return { code: error.code, message: error.message }
  const { code, message, stack } = error as NodeJS.ErrnoException
  return typeof code === 'string' ? { code, message } : { code: undefined, message: stack ?? String(error) }
}

/** JSON with what it has no words for: a bigint is text, bytes are text if they are UTF-8, else `base64:...`. */
export function jsonOf(value: unknown): string {
  return JSON.stringify(value, (_, entry) => plain(entry), 2)
}

function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return String(value)
  if (value instanceof Map) return Object.fromEntries(value)
  const bytes = bytesOf(value)
  if (bytes === undefined) return value
  const text = bytes.toString()
  return Buffer.from(text).equals(bytes) ? text : `base64:${bytes.toString('base64')}`
}

/** Before JSON asks what a value is, a Buffer has become an object with its bytes in a list. */
function bytesOf(value: unknown): Buffer | undefined {
  if (value instanceof Uint8Array) return Buffer.from(value)
  const { type, data } = (value ?? {}) as { type?: unknown; data?: unknown }
  return type === 'Buffer' && Array.isArray(data) ? Buffer.from(data) : undefined
}
