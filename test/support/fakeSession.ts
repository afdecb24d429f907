import type { GraphSession, Signature, ValueType } from '../../server/inference/graphSession.ts';
import type { Tensor } from '../../server/tensor/tensor.ts';

type Values<V extends Readonly<Record<string, ValueType>>> = {
  readonly [Name in keyof V]: Tensor<V[Name]['type']>;
};

/** A graph that is a function, and remembers the feeds of each run. */
export class FakeSession<S extends Signature> implements GraphSession<S> {
  readonly runs: Values<S['inputs']>[] = [];
  isDisposed = false;
  readonly #outputs: (feeds: Values<S['inputs']>) => Values<S['outputs']>;

  constructor(outputs: (feeds: Values<S['inputs']>) => Values<S['outputs']>) {
    this.#outputs = outputs;
  }

  async run(feeds: Values<S['inputs']>): Promise<Values<S['outputs']>> {
    this.runs.push(feeds);
    return this.#outputs(feeds);
  }

  async dispose(): Promise<void> {
    this.isDisposed = true;
  }
}
