import { readFileSync } from 'node:fs'

/** One call of a module function, as recorded from Kamailio 4.1.5 (see vectors/README.md). */
export interface ModuleCall {
  readonly id: string
  readonly name: string
  readonly kind: 'request' | 'reply'
  readonly func: 'offer' | 'answer' | 'destroy' | 'manage' | 'record' | 'stat'
  readonly flags: string | null
  readonly ip: string | null
  readonly set: number | null
  readonly extra_id: string | null
  readonly source: string
  readonly sip_in: string
  readonly proxy: 'ok' | 'error' | 'loadlimit' | 'nosdp' | 'garbage' | 'wrongthenright'
  readonly ret: 1 | -1
  readonly ng_out: readonly { readonly node: number | 'unix'; readonly payload: string }[]
  readonly body_out: string
  readonly content_length_out: string
  readonly rtpstat?: string
}

const text = (name: string): string => readFileSync(new URL(`./vectors/${name}`, import.meta.url), 'utf8')
const lines = <T>(name: string): T[] =>
  text(name)
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as T)

export const moduleCalls = lines<ModuleCall>('module-calls.jsonl')
export const rtpenginePairs = lines<{ name: string; request: string; reply: string | null }>(
  'rtpengine-10.5-pairs.jsonl',
)
export const readVectors = <T>(name: string): T => JSON.parse(text(name)) as T
export const bytes = (base64: string): Buffer => Buffer.from(base64, 'base64')
