import { readFile } from 'node:fs/promises'
import { buffer } from 'node:stream/consumers'
import { UsageError } from './outcome.ts'

/**
 * The bytes of a file; `-` is standard input.
 *
 * @throws UsageError that says why it cannot be read.
 */
export async function readInput(file: string): Promise<Buffer> {
  if (file === '-') return buffer(process.stdin)
  try {
    return await readFile(file)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new UsageError(`cannot read ${file}: ${code === 'ENOENT' ? 'there is no such file' : code}`)
  }
}
