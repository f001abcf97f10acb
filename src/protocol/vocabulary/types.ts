import type { BencodeInput } from '../../core/bencode.ts'
import type { NeedsOf, NgCommandName } from './commands.ts'
import type { NgFlag } from './flags.ts'
import type { KEYS } from './keys.ts'
import type { ATTRIBUTE_CHANGES } from './values.ts'

type Entry = (typeof KEYS)[number]

type SpellingOf<E extends Entry> = E['name'] | E['spellings'][number]

/** What rtpengine would pass over in silence passes here too, but completion knows what there is. */
type Any = string & {}

type ValueOf<V> = V extends { kind: 'choice'; values: readonly (infer W extends string)[]; on: string }
  ? W | Any | boolean
  : V extends { kind: 'choice'; values: readonly (infer W extends string)[] }
    ? W | Any
    : V extends { kind: 'list'; values: readonly (infer W extends string)[] }
      ? readonly (W | Any)[] | W | Any
      : V extends { kind: 'flags' }
        ? readonly (NgFlag | Any)[] | NgFlag | Any
        : V extends { kind: 'dictionary'; entries: infer E }
          ? Entries<E> | Mapped
          : V extends { kind: 'attributes' }
            ? { readonly [section: string]: Entries<typeof ATTRIBUTE_CHANGES> | Mapped | Absent } | Mapped
            : V extends { kind: keyof Plain }
              ? Plain[V['kind']]
              : BencodeInput

/** What the kinds of value without words of their own take. */
interface Plain {
  text: string | Uint8Array
  bytes: string | Uint8Array
  integer: number | bigint | string
  integers: number | string | readonly (number | string)[]
  digit: number | string
  pause: number | string | boolean
  source: string | readonly [family: 'IP4' | 'IP6', address: string]
  pairs: readonly (readonly [there: string, instead: string])[]
}

type Absent = null | undefined
type Mapped = ReadonlyMap<string | Uint8Array, BencodeInput | Absent>
type Entries<E> = { readonly [K in keyof E]?: ValueOf<E[K]> | Absent } & {
  readonly [key: string]: BencodeInput | Absent
}

type Known = { readonly [E in Entry as SpellingOf<E>]?: ValueOf<E['value']> | null | undefined }

/**
 * The parameters of a command, by the spellings of NG: what each takes is in docs/reference.md. `null` and `undefined` are left out. Keys
 * that rtpengine does not know pass as they are, since it ignores them.
 */
export type NgParameters = Known & { readonly [key: string]: BencodeInput | null | undefined }

/** The parameters of the command `Name`, those it needs under the first of their spellings in docs/reference.md. */
export type ParametersOf<Name extends NgCommandName> = NgParameters & {
  readonly [Need in NeedsOf<Name> & keyof Known]: NonNullable<Known[Need]>
}
