import type { BencodeInput } from '../../core/bencode.ts'
import type { NgFlag } from './flags.ts'
import type { KEYS } from './keys.ts'

type Entry = (typeof KEYS)[number]

type SpellingOf<E extends Entry> = E['name'] | E['spellings'][number]

/** What rtpengine would pass over in silence passes here too, but completion knows what there is. */
type Any = string & {}

type ValueOf<V> = V extends { kind: 'choice'; values: readonly (infer W extends string)[]; on: string }
  ? W | Any | boolean
  : V extends { kind: 'choice'; values: readonly (infer W extends string)[] }
    ? W | Any
    : V extends { kind: 'list'; mustBeList: true }
      ? readonly string[] | Any
      : V extends { kind: 'list'; values: readonly (infer W extends string)[] }
        ? readonly (W | Any)[] | W | Any
        : V extends { kind: 'flags' }
          ? readonly (NgFlag | Any)[] | NgFlag | Any
          : V extends { kind: 'text' }
            ? string | Uint8Array
            : V extends { kind: 'integer' }
              ? number | bigint | string
              : BencodeInput

type Known = { readonly [E in Entry as SpellingOf<E>]?: ValueOf<E['value']> | null | undefined }

/**
 * The parameters of a command, by the spellings of NG: what each takes is in docs/reference.md. `null` and `undefined` are left out. Keys
 * that rtpengine does not know pass as they are, since it ignores them.
 */
export type NgParameters = Known & { readonly [key: string]: BencodeInput | null | undefined }
