/** Where the file of a document lies. */
export interface FilePlace {
  /** `/home/ada/book/one.md`, `c:/book/one.md`, `//server/share/one.md`. */
  readonly path: string;
  /** `one.md`: within the innermost of the open folders; null outside of them. */
  readonly relativePath: string | null;
}

/** Scheme, authority, path; query and fragment name no file. */
const uriParts = /^([a-z][a-z\d+.-]*):(?:\/\/([^/?#]*))?([^?#]*)/i;

const drive = /^\/([a-z]:)/i;

/**
 * Finds the file of a document.
 *
 * @param folders  URIs of the folders that the client has open
 * @returns null for a document without a file, such as an untitled one
 */
export function findFilePlace(uri: string, folders: readonly string[]): FilePlace | null {
  const path = pathOf(uri);
  if (path === null) return null;
  const roots = folders
    .flatMap((folder) => pathOf(folder) ?? [])
    .map((root) => root.replace(/\/*$/, '/'))
    .filter((root) => path.toLowerCase().startsWith(root.toLowerCase()));
  const length = Math.max(0, ...roots.map((root) => root.length));
  return { path, relativePath: roots.length === 0 ? null : path.slice(length) };
}

function pathOf(uri: string): string | null {
  const [, scheme = 'untitled', host = '', encoded = ''] = uriParts.exec(uri) ?? [];
  if (scheme.toLowerCase() === 'untitled' || encoded === '') return null;
  const path = decoded(encoded).replace(drive, '$1');
  return scheme.toLowerCase() === 'file' && host !== '' ? `//${host}${path}` : path;
}

/** A path that is not percent-encoded UTF-8 stands for itself. */
function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch (error) {
    if (error instanceof URIError) return path;
    throw error;
  }
}
