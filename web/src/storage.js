// What the page keeps in IndexedDB, one database a user: messages, conversations, and the held seqs. What belongs together
// is written in one transaction, so whatever happens in between, the page goes on where its messages end.

const VERSION = 1;

function done(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** Where IndexedDB is denied (some private windows), a Storage keeps nothing: the page then works from memory. */
export class Storage {
  #db;

  static async open(name) {
    const storage = new Storage();
    try {
      const request = indexedDB.open(name, VERSION);
      request.onupgradeneeded = () => {
        const db = request.result;
        db.createObjectStore('messages', { keyPath: 'key' });
        db.createObjectStore('conversations', { keyPath: 'id' });
        db.createObjectStore('meta');
      };
      storage.#db = await done(request);
      storage.#db.onversionchange = () => storage.close();
    } catch (error) {
      console.warn('nothing is kept: IndexedDB is not available', error);
    }
    return storage;
  }

  get keeps() {
    return this.#db !== undefined;
  }

  async load() {
    if (!this.#db) return { messages: [], conversations: [], held: undefined };
    const transaction = this.#db.transaction(['messages', 'conversations', 'meta']);
    const [messages, conversations, held] = await Promise.all([
      done(transaction.objectStore('messages').getAll()),
      done(transaction.objectStore('conversations').getAll()),
      done(transaction.objectStore('meta').get('held')),
    ]);
    return { messages, conversations, held };
  }

  /** changes: {messages, deleted (keys), conversations, held}. Resolves once they are written. */
  save(changes) {
    if (!this.#db) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const transaction = this.#db.transaction(['messages', 'conversations', 'meta'], 'readwrite');
      const messages = transaction.objectStore('messages');
      for (const key of changes.deleted) messages.delete(key);
      for (const message of changes.messages) messages.put(message);
      for (const conversation of changes.conversations) transaction.objectStore('conversations').put(conversation);
      if (changes.held) transaction.objectStore('meta').put(changes.held, 'held');
      transaction.oncomplete = () => resolve();
      transaction.onabort = () => reject(transaction.error);
    });
  }

  close() {
    this.#db?.close();
    this.#db = undefined;
  }
}
