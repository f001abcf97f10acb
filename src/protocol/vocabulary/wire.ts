import type { BencodeInput } from '../../core/bencode.ts'
import { ParameterError } from '../../errors.ts'
import { keyOf } from './keys.ts'
import type { NgParameters } from './types.ts'
import type { Value } from './values.ts'

/**
 * What goes into the dictionary of a command: `null` and `undefined` left out, booleans as the words rtpengine knows for them, single
 * values as lists where it wants lists. Keys are spelled as every release knows them: 10.5 does not know all spellings of later ones.
 *
 * @throws ParameterError for the same key in two spellings.
 */
export function wireParameters(command: string, parameters: NgParameters): Record<string, BencodeInput> {
  const entries = new Map<string, BencodeInput>()
  const seen = new Map<string, string>()
  for (const [spelling, value] of Object.entries(parameters)) {
    if (value === undefined || value === null || spelling === 'command') continue
    const key = keyOf(spelling)
    const name = key?.name ?? spelling
    const other = seen.get(name)
    if (other !== undefined)
      throw new ParameterError(command, spelling, `'${other}' and '${spelling}' are the same parameter`)
    seen.set(name, spelling)
    entries.set(name, key === undefined ? value : wired(command, key.name, key.value, value))
  }
  return Object.fromEntries(entries)
}

function wired(command: string, name: string, value: Value, given: BencodeInput): BencodeInput {
  if (typeof given === 'boolean' && value.kind === 'choice' && value.on !== undefined)
    return given ? value.on : value.off!
  if (name === 'pause' && given === true) return 'yes'
  const wantsList =
    (value.kind === 'list' && value.mustBeList) || (value.kind === 'flags' && command === 'stop recording')
  if (wantsList && typeof given === 'string') return given.split(',')
  return value.kind === 'dictionaries' && !Array.isArray(given) ? [given] : given
}
