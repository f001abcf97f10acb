import type * as Makers from './beyond.ts'

/** What it throws rejects the promise. */
export type Executor<T> = (resolve: (result: T) => void, reject: (error: unknown) => void) => void

let makers: typeof Makers | undefined
let loading: Promise<void> | undefined
/** How many wait until it is loaded, or to be run after that. */
let waiting = 0

/**
 * A promise whose executor runs in its turn: at once, unless it has to wait. What makes commands that the module did not know is loaded when
 * the first of them comes: with the words and the grammars it has to know it is a third of all code, and who does without starts the sooner.
 * As long as anybody waits for it all wait, so that no command overtakes another.
 *
 * @param isNeeded whether the executor cannot do without.
 */
export function inTurn<T>(isNeeded: boolean, executor: Executor<T>): Promise<T> {
  if (waiting === 0 && (makers !== undefined || !isNeeded)) return new Promise(executor)
  loading ??= load()
  waiting++
  return loading.then(
    () => {
      waiting--
      return new Promise(executor)
    },
    (error) => {
      waiting--
      throw error
    },
  )
}

async function load(): Promise<void> {
  try {
    makers = await import('./beyond.ts')
  } catch (error) {
    loading = undefined
    throw error
  }
}

/** What `inTurn` has loaded. */
export function beyond(): typeof Makers {
  if (makers === undefined) throw new Error('a command was made before what makes it was loaded')
  return makers
}
