import { ConfigurationError } from '../../errors.ts'
import type { ListenAddress } from '../options.ts'
import type { Listener, Receiver } from './message.ts'
import { listenTcp } from './tcp.ts'
import { listenUdp } from './udp.ts'
import { listenUnix } from './unix.ts'

/** @throws ConfigurationError `ERR_RTPPROXY_URL` if it cannot be opened. */
export async function listen(
  address: ListenAddress,
  receiver: Receiver,
  onFailure: (error: unknown) => void,
): Promise<Listener> {
  try {
    switch (address.carrier) {
      case 'udp':
        return await listenUdp(address, receiver)
      case 'tcp':
        return await listenTcp(address, receiver, onFailure)
      case 'unix':
        return await listenUnix(address.path, receiver, onFailure)
    }
  } catch (error) {
    throw listenError(address.carrier === 'unix' ? address.path : `${address.host}:${address.port}`, error)
  }
}

export function listenError(where: string, error: unknown): ConfigurationError {
  const why = error instanceof Error ? error.message : String(error)
  return new ConfigurationError('ERR_RTPPROXY_URL', 'listen', `cannot listen on ${where}: ${why}`)
}

/** Opens all of them, or none. */
export async function listenAll<Address>(
  addresses: readonly Address[],
  open: (address: Address) => Promise<Listener>,
): Promise<readonly Listener[]> {
  const listeners: Listener[] = []
  try {
    for (const address of addresses) listeners.push(await open(address))
    return listeners
  } catch (error) {
    await closeAll(listeners)
    throw error
  }
}

export async function closeAll(listeners: readonly Listener[]): Promise<void> {
  await Promise.all(listeners.map((listener) => listener.close()))
}
