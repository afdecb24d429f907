/** Slots per node at the fullest: probes stay short. */
const maxLoad = 0.5;

/**
 * A set of pieces with their ids, walked one UTF-16 code unit at a time.
 * All edges (node, unit) → node are in one hash table with open addressing,
 * which holds the pieces of a large vocabulary in a few arrays.
 */
export class SentencePieceTrie {
  #numNodes = 1;
  /** Slot → node + 1 at the edge's far end, 0 for a free slot; its key is (parents, units). */
  #children: Int32Array;
  #parents: Int32Array;
  #units: Uint16Array;
  /** Node → id of the piece that ends there, or −1. */
  readonly #ids: Int32Array;

  constructor(entries: ReadonlyMap<string, number>) {
    let numNodes = 1;
    for (const piece of entries.keys()) numNodes += piece.length;
    const numSlots = 2 ** Math.ceil(Math.log2(numNodes / maxLoad));
    this.#children = new Int32Array(numSlots);
    this.#parents = new Int32Array(numSlots);
    this.#units = new Uint16Array(numSlots);
    this.#ids = new Int32Array(numNodes).fill(-1);
    for (const [piece, id] of entries) this.#insert(piece, id);
  }

  /** Returns the node after `unit`, or −1. The root is node 0. */
  next(node: number, unit: number): number {
    return (this.#children[this.#slot(node, unit)] as number) - 1;
  }

  /** Returns the id of the piece that ends at `node`, or −1. */
  idAt(node: number): number {
    return this.#ids[node] as number;
  }

  /** Returns the length of the longest piece that `text` has at `offset`, 0 for none. */
  longestMatch(text: string, offset: number): number {
    let length = 0;
    let node = 0;
    for (let end = offset; end < text.length; ) {
      node = this.next(node, text.charCodeAt(end++));
      if (node === -1) break;
      if (this.idAt(node) !== -1) length = end - offset;
    }
    return length;
  }

  #insert(piece: string, id: number): void {
    let node = 0;
    for (let index = 0; index < piece.length; index++) {
      const unit = piece.charCodeAt(index);
      const slot = this.#slot(node, unit);
      if (this.#children[slot] === 0) {
        this.#parents[slot] = node;
        this.#units[slot] = unit;
        this.#children[slot] = ++this.#numNodes;
      }
      node = (this.#children[slot] as number) - 1;
    }
    this.#ids[node] = id;
  }

  /** Returns the slot of the edge, or the free one where it belongs. */
  #slot(node: number, unit: number): number {
    const mask = this.#children.length - 1;
    // Multiplicative hashing with odd constants of well-mixed bits (Knuth, TAOCP 3, section 6.4).
    let hash = Math.imul(node, 0x9e3779b1) ^ Math.imul(unit + 1, 0x85ebca6b);
    hash ^= hash >>> 15;
    let slot = hash & mask;
    while (
      this.#children[slot] !== 0 &&
      (this.#parents[slot] !== node || this.#units[slot] !== unit)
    ) {
      slot = (slot + 1) & mask;
    }
    return slot;
  }
}
