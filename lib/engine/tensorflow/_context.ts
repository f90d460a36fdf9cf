/** Eager contexts of TensorFlow. */
import { type ContextConfig, encodeConfig } from "./_config_proto.ts";
import { check, type Library, type Pointer, readCString } from "./_library.ts";

/** A device that TensorFlow can run ops on. */
export interface Device {
  /** Such as `/job:localhost/replica:0/task:0/device:CPU:0`. */
  readonly name: string;
  /** Such as `CPU` or `GPU`. */
  readonly type: string;
}

/**
 * Makes an eager context.
 *
 * @param library The open library.
 * @param threads Thread counts.
 * @throws {TensorFlowError} If TensorFlow cannot make one.
 */
export function newContext(library: Library, threads: ContextConfig): Pointer {
  const { api, status } = library;
  const config = encodeConfig(threads);
  const options = api.TFE_NewContextOptions();
  api.TFE_ContextOptionsSetConfig(options, config, BigInt(config.length), status);
  check(library, "Cannot configure TensorFlow");
  const context = api.TFE_NewContext(options, status);
  api.TFE_DeleteContextOptions(options);
  check(library, "Cannot start TensorFlow");
  return context;
}

/** Devices of this process, without those of others. */
export function listDevices(library: Library, context: Pointer): Device[] {
  const { api, status } = library;
  const list = api.TFE_ContextListDevices(context, status);
  check(library, "Cannot list TensorFlow's devices");
  const devices = Array.from({ length: api.TF_DeviceListCount(list) }, (_, i) => ({
    name: readCString(api.TF_DeviceListName(list, i, status)),
    type: readCString(api.TF_DeviceListType(list, i, status)),
  }));
  api.TF_DeleteDeviceList(list);
  // Those of other processes are listed too, after this one's.
  const [own] = devices[0]!.name.split("/device:");
  return devices.filter(({ name }) => name.startsWith(`${own}/device:`));
}
