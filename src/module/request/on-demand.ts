import type * as Makers from './beyond.ts'

let makers: typeof Makers | undefined
let loading: Promise<void> | undefined

/**
 * Loads what makes commands that the module did not know, when the first of them comes: with the words and the grammars it has to know it
 * is a third of all code, and who does without starts the sooner.
 *
 * @param isNeeded whether the next command cannot be made without.
 * @returns what to wait for; undefined to go on at once. From the first command that waits until it is loaded all wait, so that none
 *   overtakes another.
 */
export function loaded(isNeeded: boolean): Promise<void> | undefined {
  if (makers !== undefined || (!isNeeded && loading === undefined)) return undefined
  loading ??= import('./beyond.ts').then(
    (module) => {
      makers = module
    },
    (error) => {
      loading = undefined
      throw error
    },
  )
  return loading
}

/** What `loaded` has loaded. */
export function beyond(): typeof Makers {
  if (makers === undefined) throw new Error('a command was made before what makes it was loaded')
  return makers
}
