import { createReadStream } from 'node:fs'
import { UsageError } from './outcome.ts'

/**
 * The bytes of a file; `-` is standard input.
 *
 * @param longest most bytes it may have: no more are read, whatever the file is.
 * @throws UsageError that says why it cannot be read.
 */
export async function readInput(file: string, longest: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let length = 0
  try {
    for await (const chunk of file === '-' ? process.stdin : createReadStream(file)) {
      chunks.push(chunk)
      length += chunk.length
      if (length > longest) throw new UsageError(`${file} has more than ${longest} bytes`)
    }
  } catch (error) {
    if (error instanceof UsageError) throw error
    const { code = '' } = error as NodeJS.ErrnoException
    throw new UsageError(`cannot read ${file}: ${WHY[code] ?? code}`)
  }
  return Buffer.concat(chunks)
}

const WHY: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EISDIR: 'it is a folder',
  EACCES: 'that is not allowed',
}
