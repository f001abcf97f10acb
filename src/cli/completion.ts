import { script as scriptOf } from '@bomb.sh/tab'
import { Argument, type Command, type Option } from 'commander'

/** What the scripts of the shells are told of the words behind them. */
const NO_FILES = 4
const FILES = 0

interface Word {
  readonly text: string
  readonly description: string
}

/** Adds `completion SHELL`, which writes the script for a shell, and `complete -- WORDS`, which that script asks. */
export function addCompletion(program: Command, stdout: NodeJS.WritableStream): void {
  const name = program.name()
  program
    .command('completion')
    .description('write the completion script of a shell')
    .addArgument(new Argument('<shell>').choices(['bash', 'zsh', 'fish', 'powershell']))
    .addHelpText(
      'after',
      `\nExamples:\n  source <(${name} completion bash)\n  ${name} completion fish | source\n`,
    )
    .action((shell: string) => {
      if (shell === 'bash') stdout.write(bashScript(name))
      else scriptOf(shell as 'zsh', name, name)
    })
  program
    .command('complete', { hidden: true })
    .argument('[words...]')
    .allowUnknownOption()
    .action((words: readonly string[]) => {
      const { found, mayBeFile } = complete(program, words)
      const lines = found.map(({ text, description }) => `${text}\t${description}`)
      stdout.write(`${[...lines, `:${mayBeFile ? FILES : NO_FILES}`].join('\n')}\n`)
    })
}

/** What the last word may become, and whether it may be the name of a file. */
function complete(program: Command, words: readonly string[]): { found: Word[]; mayBeFile: boolean } {
  const current = words.at(-1) ?? ''
  const { command, pending, position } = follow(program, words.slice(0, -1))
  const visible = program.createHelp()
  const beginning = (list: readonly Word[]): Word[] => list.filter(({ text }) => text.startsWith(current))
  const choices = (list: readonly string[] = []): Word[] =>
    beginning(list.map((text) => ({ text, description: '' })))
  if (pending !== undefined) return { found: choices(pending.argChoices), mayBeFile: false }
  if (current.startsWith('-')) {
    const everywhere = command === program ? [] : program.options.filter(({ long }) => long === '--json')
    const options = [...visible.visibleOptions(command), ...everywhere]
    const found = options.map(({ long, description }) => ({ text: long ?? '', description }))
    return { found: beginning(found), mayBeFile: false }
  }
  if (command.commands.length > 0) {
    const commands = visible.visibleCommands(command)
    const found = commands.map((one) => ({ text: one.name(), description: one.description() }))
    return { found: beginning(found), mayBeFile: false }
  }
  const argument = command.registeredArguments[position] ?? command.registeredArguments.at(-1)
  return { found: choices(argument?.argChoices), mayBeFile: argument?.name() === 'file' }
}

/** Where the words lead: to which command, to which of its arguments, or to an option that wants its value. */
function follow(
  program: Command,
  words: readonly string[],
): { command: Command; pending: Option | undefined; position: number } {
  let command = program
  let pending: Option | undefined
  let position = 0
  for (const word of words) {
    // bash parts '--as=answer' in three.
    if (word === '=') continue
    const isValue = pending !== undefined
    pending = undefined
    if (isValue) continue
    if (word.startsWith('-')) {
      const option = [...command.options, ...program.options].find(
        ({ long, short }) => word === long || word === short,
      )
      if (option?.required || option?.optional) pending = option
      continue
    }
    const next = command.commands.find((one) => one.name() === word)
    if (next === undefined) position++
    else command = next
  }
  return { command, pending, position }
}

/**
 * What is typed is handed on as words, not as a text that the shell reads once more: else a `$(...)` in the line would run when Tab is
 * pressed. Where nothing fits, bash goes on to files itself, unless it is told that none can stand there.
 */
function bashScript(name: string): string {
  const complete = `_${name.replaceAll('-', '_')}_complete`
  return `# bash completion for ${name}
${complete}() {
  local line
  COMPREPLY=()
  while IFS= read -r line; do
    case $line in
      :${NO_FILES}) compopt +o default ;;
      :*) ;;
      *) COMPREPLY+=("\${line%%$'\\t'*}") ;;
    esac
  done < <(${name} complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o default -F ${complete} ${name}
`
}
