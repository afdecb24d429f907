/** Where graphs run. */
export interface Device {
  /** As the writer sees it. */
  name: string;
  executionProviders: readonly string[];
}

/** From the one we would rather have to the one that always works. */
const devices: readonly Device[] = [{ name: 'cpu', executionProviders: ['cpu'] }];

/**
 * Finds the first device on which `open` works: whether a device can be used shows only in use.
 *
 * @throws the error of the last device when none works
 */
export async function openOnDevice<T>(
  open: (device: Device) => Promise<T>,
  candidates: readonly Device[] = devices,
): Promise<{ device: Device; value: T }> {
  let failure: unknown;
  for (const device of candidates) {
    try {
      return { device, value: await open(device) };
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}
