// Starts a worker, hears of its death, and replaces it.
import * as Comlink from 'comlink';
import wasmUrl from '../pkg/nutshell_bg.wasm?url';
import { fileUrl, makeWorker } from './files.js';
import workerUrl from './worker/main.js?worker&url';

/** Names under which the engine's end is thrown: a panic with its message, or a trap without one. */
const FATAL = new Set(['Panic', 'RuntimeError']);

/** The wasm, compiled once for all workers. @type {Promise<WebAssembly.Module> | null} */
let compiled = null;

const wasm = () => (compiled ??= compile().catch((error) => {
  compiled = null;
  throw error;
}));

async function compile() {
  const response = await fetch(fileUrl(wasmUrl));
  if (!response.ok) throw new Error(`the engine could not be loaded (${response.status})`);
  return WebAssembly.compileStreaming(response);
}

/** @template Api */
export class Bridge {
  /** @type {Worker | null} */
  #worker = null;
  /** @type {Promise<Comlink.Remote<Api>> | null} */
  #remote = null;
  /** Rejected when the worker ends, whatever ends it. */
  #death = deferred();
  #task;
  #tell;

  /** @param {import('./worker/main.js').Task} task Of the worker.
   * @param {(remote: Comlink.Remote<Api>) => Promise<void>} [tell] Tells a new worker what the one before knew. */
  constructor(task, tell = async () => {}) {
    this.#task = task;
    this.#tell = tell;
  }

  /** Asks the worker, starting one if there is none.
   * @template T
   * @param {(remote: Comlink.Remote<Api>) => Promise<T>} work
   * @returns {Promise<T>} */
  async call(work) {
    this.#remote ??= this.#start();
    const { promise: death } = this.#death;
    try {
      return await Promise.race([this.#remote.then(work), death]);
    } catch (error) {
      if (error instanceof Error && FATAL.has(error.name)) {
        const words =
          error.name === 'Panic'
            ? `the engine stopped: ${error.message}`
            : 'the engine stopped, most likely because the tab ran out of memory';
        this.end(new Error(words));
        throw new Error(words);
      }
      throw error;
    }
  }

  /** Asks the worker for something that reports on the way.
   * @template T
   * @param {(message: any) => void} hear
   * @param {(remote: Comlink.Remote<Api>, port: MessagePort) => Promise<T>} work
   * @param {AbortSignal} [signal] Asks for an early end, at the worker's next look.
   * @returns {Promise<T>} */
  callWithPort(hear, work, signal) {
    return withPort(hear, (port) => this.call((remote) => work(remote, port)), signal);
  }

  /** Asks a worker that ends with its answer.
   * @template T
   * @param {(remote: Comlink.Remote<Api>) => Promise<T>} work
   * @returns {Promise<T>} */
  async once(work) {
    try {
      return await this.call(work);
    } finally {
      this.end(new Error('the question is answered'));
    }
  }

  async #start() {
    const death = this.#death;
    try {
      // Ended before there is a worker: then none is made.
      const module = await Promise.race([wasm(), death.promise]);
      const worker = makeWorker(workerUrl, this.#task);
      this.#worker = worker;
      worker.addEventListener('error', (event) => {
        event.preventDefault();
        if (worker === this.#worker) this.end(new Error(event.message || 'the engine could not be started'));
      });
      /** @type {Comlink.Remote<Api>} */
      const remote = Comlink.wrap(worker);
      const lock = `nutshell ${performance.timeOrigin} ${Math.random()}`;
      await /** @type {any} */ (remote).start(lock, module);
      // Granted when the worker is gone, even if it was killed without a word. Refused in a page opened from disk.
      const gone = navigator.locks?.request(lock, () => {
        if (worker === this.#worker) this.end(new Error('the browser ended the engine, most likely because it ran out of memory'));
      });
      gone?.catch(() => {});
      await this.#tell(remote);
      return remote;
    } catch (error) {
      // After an end another one may have been started.
      if (death === this.#death) this.#remote = null;
      throw error;
    }
  }

  /** Ends the worker; every call that waits for it fails with `reason`. The next call starts another one.
   * @param {Error} reason */
  end(reason) {
    this.#worker?.terminate();
    this.#worker = null;
    this.#remote = null;
    const { reject } = this.#death;
    this.#death = deferred();
    reject(reason);
  }
}

/** A copy of a file that is handed over to a worker: told as they are, bytes would be copied twice, and the first copy be held on the way.
 * @param {Uint8Array} bytes */
export function copyOf(bytes) {
  const copy = bytes.slice();
  return Comlink.transfer(copy, [copy.buffer]);
}

/** Asks for something that reports by a port on the way.
 * @template T
 * @param {(message: any) => void} hear
 * @param {(port: MessagePort) => Promise<T>} ask The port is to be handed to a worker.
 * @param {AbortSignal} [signal] Is told to the worker.
 * @returns {Promise<T>} */
export async function withPort(hear, ask, signal) {
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = ({ data }) => hear(data);
  signal?.addEventListener('abort', () => port1.postMessage('stop'));
  try {
    return await ask(Comlink.transfer(port2, [port2]));
  } finally {
    // What was sent before the answer may still come after it.
    port1.onmessage = null;
    port1.close();
  }
}

/** A promise that is only ever rejected, and may go unheard.
 * @returns {{ promise: Promise<never>, reject: (reason: Error) => void }} */
function deferred() {
  const { promise, reject } = Promise.withResolvers();
  promise.catch(() => {});
  return { promise: /** @type {Promise<never>} */ (promise), reject };
}
