import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { expect, it } from 'vitest'
import { readPage, snippetsOf } from './pages.ts'

/** What strict TypeScript says of programs in a project that has the package, as `NAME: TEXT`; no file is written. */
function complaintsAbout(programs: Record<string, string>): string[] {
  const options: ts.CompilerOptions = {
    module: ts.ModuleKind.NodeNext,
    target: ts.ScriptTarget.ES2022,
    strict: true,
    noEmit: true,
    types: ['node'],
  }
  const given = new Map(
    Object.entries(programs).map(([name, text]) => [
      fileURLToPath(new URL(`${name}.mts`, import.meta.url)),
      text,
    ]),
  )
  const host = ts.createCompilerHost(options)
  const { fileExists, readFile, getSourceFile } = host
  host.fileExists = (path) => given.has(path) || fileExists(path)
  host.readFile = (path) => given.get(path) ?? readFile(path)
  host.getSourceFile = (path, language, ...rest) => {
    const text = given.get(path)
    return text === undefined
      ? getSourceFile(path, language, ...rest)
      : ts.createSourceFile(path, text, language)
  }
  return ts
    .getPreEmitDiagnostics(ts.createProgram([...given.keys()], options, host))
    .map(({ file, messageText }) => {
      const text = ts.flattenDiagnosticMessageText(messageText, '\n')
      return `${file === undefined ? 'all' : basename(file.fileName)}: ${text}`
    })
}

it('the programs of the first pages are strict TypeScript as well, with a type for each parameter', {
  timeout: 60_000,
}, () => {
  const [first = '', inProxy = ''] = snippetsOf(readPage('README.md'))
  const [, server = ''] = snippetsOf(readPage('docs/getting-started.md'))
  const [bytes = '', drachtio = ''] = snippetsOf(readPage('docs/embedding.md'))
  const proxy = `
    import { createSocket } from 'node:dgram'
    import { RtpProxyNg, SipMessage } from 'rtpproxy-ng'
    declare const media: RtpProxyNg
    declare function forward(message: Buffer): void
    const socket = createSocket('udp4')
    ${inProxy}`
  const typed = bytes
    .replace('import {', 'import { type RtpProxyNg, type SourceAddress,')
    .replace('(media, datagram, peer)', '(media: RtpProxyNg, datagram: Buffer, peer: SourceAddress)')
  const core = `${server}\ndeclare function forward(message: Buffer): void`
  const wrong = "import { NoSuchName } from 'rtpproxy-ng'"
  expect(complaintsAbout({ first, proxy, core, typed, drachtio, wrong })).toEqual([
    expect.stringContaining('wrong.mts: '),
  ])
})
