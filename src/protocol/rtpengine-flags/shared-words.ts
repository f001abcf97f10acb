import type { FlagDraft } from './draft.ts'
import type { ViaBranchChoice } from './flags.ts'
import { failure, integerOf, type Token, textValue } from './tokens.ts'

/** What a word does. */
export type Word = (draft: FlagDraft, token: Token) => void

/** The words that mean the same to both modules, but for the branches that `via-branch` can choose. */
export function sharedWords(branches: readonly ViaBranchChoice[]): [key: string, word: Word][] {
  return [
    ['call-id', setCallId],
    [
      'from-tag',
      (draft, token) => {
        draft.fromTag = textValue(token)
        draft.directional = true
      },
    ],
    [
      'to-tag',
      (draft, token) => {
        if (token.value !== undefined) draft.toTag = textValue(token)
        draft.sendsToTag = true
      },
    ],
    [
      'via-branch',
      (draft, token) => {
        draft.viaBranch = branchOf(token, branches)
      },
    ],
    [
      'directional',
      (draft, { key }) => {
        draft.directional = true
        // rtpengine looks for the flag too: a tag alone does not narrow `block media` down to a party.
        draft.push('flags', key)
      },
    ],
    ['force-answer', (draft, token) => draft.forceAnswer(token)],
    ['repacketize', repacketize],
  ]
}

export const setCallId: Word = (draft, token) => {
  draft.callId = textValue(token)
}

/** The modules look at no more than the first character of a number. */
function branchOf(token: Token, branches: readonly ViaBranchChoice[]): ViaBranchChoice {
  const value = textValue(token)
  if (value.startsWith('1')) return '1'
  if (value.startsWith('2')) return '2'
  const branch = branches.find((known) => known === value)
  if (branch === undefined) throw failure(token, `needs 1, 2, ${branches.join(', ')}`)
  return branch
}

function repacketize(draft: FlagDraft, token: Token): void {
  const milliseconds = integerOf(token)
  if (milliseconds <= 0 || !/^[0-9]/.test(token.value!)) throw failure(token, 'needs milliseconds, from 1')
  draft.add(token.key, milliseconds)
}
