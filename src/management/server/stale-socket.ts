import { once } from 'node:events'
import { lstat, unlink } from 'node:fs/promises'
import { connect } from 'node:net'

/**
 * Removes the UNIX socket that a process which was killed has left at `path`: nobody listens at it, and nobody could. One that is
 * answered, or a file that is no socket, stays where it is, and listening there fails.
 */
export async function removeStaleSocket(path: string): Promise<void> {
  const file = await lstat(path).catch(() => undefined)
  if (file?.isSocket() && (await isRefused(path))) await unlink(path)
}

async function isRefused(path: string): Promise<boolean> {
  const socket = connect(path)
  try {
    await once(socket, 'connect')
    return false
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ECONNREFUSED'
  } finally {
    socket.destroy()
  }
}
