// Writes docs/reference.md, or the file that is named, from the tables that the types and the checks come from:
// npm run docs:reference
import { writeFileSync } from 'node:fs'
import { COMMANDS, FLAG_PREFIXES, FLAGS, KEYS, LATER_FLAG_PREFIXES } from 'rtpproxy-ng/ng'

/** @typedef {import('rtpproxy-ng/ng').NgValue} Value */

/** @param {string} text */
const code = (text) => `\`${text}\``
/** @param {readonly string[]} texts */
const codes = (texts) => texts.map(code).join(', ')
/** @param {readonly string[]} texts */
const words = (texts) => texts.join(', ')
/** @param {string} text */
const cell = (text) => text.replaceAll('|', '\\|')

/** @param {{ since: string, documented: boolean }} entry */
const release = ({ since, documented }) => (documented ? since : `${since}, in no manual`)

/** @param {readonly string[]} header @param {readonly (readonly string[])[]} rows */
function table(header, rows) {
  const line = (/** @type {readonly string[]} */ cells) => `| ${cells.map(cell).join(' | ')} |`
  return [line(header), line(header.map(() => '---')), ...rows.map(line)].join('\n')
}

/**
 * What every release knows, and what later ones do.
 * @param {readonly string[]} names @param {readonly string[]} later @param {(name: string) => string} print
 */
function known(names, later, print) {
  const since = names.filter((name) => !later.includes(name)).map(print)
  return `${words(since)}${later.length === 0 ? '' : `; later: ${words(later.map(print))}`}`
}

/** @param {string} name @param {Value | undefined} value @returns {string} */
const entry = (name, value) => (value?.kind === 'choice' ? `${code(name)} (${takes(value)})` : code(name))

/** @param {Value} value @returns {string} */
function takes(value) {
  switch (value.kind) {
    case 'text':
      return 'text'
    case 'bytes':
      return 'text or bytes'
    case 'integer':
      return value.least === 0 ? 'a whole number from 0' : 'a whole number'
    case 'integers':
      return 'whole numbers: one, a list, or text with commas'
    case 'digit':
      return '0 to 15, or one of `0123456789*#ABCD`'
    case 'pause':
      return 'milliseconds, or `true`'
    case 'source':
      return '`IP4` or `IP6` and an address in a list, or an address'
    case 'choice':
      return value.on === undefined
        ? codes(value.values)
        : `true (${code(value.on)}), false (${code(value.off ?? '')}), or ${codes(value.values)}`
    case 'list': {
      const many = 'a list, or text with commas'
      const names = [...value.values, ...value.prefixes]
      if (names.length === 0) return many
      const print = (/** @type {string} */ name) =>
        value.prefixes.includes(name) ? `${code(name)}...` : code(name)
      const behind = value.ends.length === 0 ? '' : `; in place of ...: ${codes(value.ends)}`
      return `${many}, of ${known(names, value.later, print)}${behind}`
    }
    case 'flags':
      return 'a list of flags: see below'
    case 'dictionary':
      return `a dictionary of ${known(Object.keys(value.entries), value.later, (name) => entry(name, value.entries[name]))}`
    case 'pairs':
      return 'a list of pairs'
    case 'dictionaries':
      return 'a list of dictionaries'
    case 'attributes':
      return 'a dictionary by section (`global`, `audio`, `video`, `none`) of `add`, `remove`, `substitute`'
  }
}

/** @template {{ name: string }} T @param {readonly T[]} entries */
const byName = (entries) =>
  [...entries].sort((a, b) => (a.name.toLowerCase() < b.name.toLowerCase() ? -1 : 1))

const page = `<!-- Written by docs/generate-reference.js: npm run docs:reference -->

# Commands, keys and flags of the NG protocol

${COMMANDS.length} commands, ${KEYS.length} keys and ${FLAGS.length} flags, as rtpengine's source has them. The types of \`NgParameters\`, the option \`strict\` and
this page come from the same tables, which \`rtpproxy-ng/ng\` exports (\`COMMANDS\`, \`KEYS\`, \`FLAGS\`, \`FLAG_PREFIXES\`); \`checkParameters\` is
what \`strict\` does.

Release \`10.5\`: known to rtpengine 10.5.3, which was asked; \`later\`: not known to it, but to a later one. What a release does not know it
ignores, with a line in its log. Values of which nothing else is said are known as long as their key. A key may be spelled in any way here: it is sent by its name, which 10.5 knows too.

## Commands

What a command needs, what its reply has beside \`result\`, and what it says when it refuses (its case varies).

${table(
  ['Command', 'Needs', 'Answers', 'Refuses with', 'Release', 'What it does'],
  COMMANDS.map((one) => [
    words([one.name, ...one.spellings].map(code)),
    codes(one.needs),
    words(one.reply),
    one.errors.join('; '),
    release(one),
    one.about,
  ]),
)}

## Keys

${table(
  ['Key', 'Also spelled', 'Takes', 'Release', 'What it is'],
  byName(KEYS).map((key) => [
    code(key.name),
    codes(key.spellings),
    takes(key.value),
    release(key),
    key.about,
  ]),
)}

## Flags

Items of the list \`flags\`.

${table(
  ['Flag', 'Also spelled', 'Release', 'What it does'],
  byName(FLAGS).map((flag) => [code(flag.name), codes(flag.spellings), release(flag), flag.about]),
)}

Flags that begin with ${words(FLAG_PREFIXES.map(code))} stand for a value of another key: \`replace-origin\` in \`flags\` is \`origin\` in
\`replace\`. Of these, ${words(LATER_FLAG_PREFIXES.map(code))} are known to later releases only.
`

writeFileSync(process.argv[2] ?? new URL('reference.md', import.meta.url), page)
