import { CALL_KEYS } from './keys/call.ts'
import { DESCRIPTION_KEYS } from './keys/description.ts'
import { DTMF_KEYS } from './keys/dtmf.ts'
import { MEDIA_KEYS } from './keys/media.ts'
import { RECORDING_KEYS } from './keys/recording.ts'
import { SECURITY_KEYS } from './keys/security.ts'
import type { Key } from './values.ts'

/** Every key of a request that rtpengine reads, each under a spelling that every release knows. */
export const KEYS = [
  ...CALL_KEYS,
  ...DESCRIPTION_KEYS,
  ...SECURITY_KEYS,
  ...MEDIA_KEYS,
  ...DTMF_KEYS,
  ...RECORDING_KEYS,
] as const

/** Made when first asked for: few programs need it while they start. */
let bySpelling: ReadonlyMap<string, Key> | undefined

function spellings(): ReadonlyMap<string, Key> {
  bySpelling ??= new Map(
    (KEYS as readonly Key[]).flatMap((key) =>
      [key.name, ...key.spellings].map((spelling): [string, Key] => [spelling, key]),
    ),
  )
  return bySpelling
}

/** The key that is spelled so. */
export function keyOf(spelling: string): Key | undefined {
  return spellings().get(spelling)
}

/** Every spelling of every key. */
export function keySpellings(): Iterable<string> {
  return spellings().keys()
}
