import {
  commands,
  type Disposable,
  EventEmitter,
  type Range,
  TabInputTextDiff,
  type TextDocument,
  Uri,
  window,
  workspace,
} from 'vscode';

/** Scheme of the read-only documents that show what a text would become. */
const previewScheme = 'thoughtline-rewriting';

/** Shows a text beside what a rewriting would make of it, as a diff. */
export class RewritingPreview implements Disposable {
  readonly #changed = new EventEmitter<Uri>();
  readonly #registration: Disposable;
  #text = '';
  #shown: Uri | undefined;

  constructor() {
    this.#registration = workspace.registerTextDocumentContentProvider(previewScheme, {
      onDidChange: this.#changed.event,
      provideTextDocumentContent: () => this.#text,
    });
  }

  /** Shows a document with `text` in place of a range; the focus stays where it is. */
  show(document: TextDocument, range: Range, text: string, title: string): void {
    const whole = document.getText();
    const [start, end] = [document.offsetAt(range.start), document.offsetAt(range.end)];
    this.#text = whole.slice(0, start) + text + whole.slice(end);
    // The path says which language it is in.
    const uri = Uri.from({ scheme: previewScheme, path: `/${document.uri.path}` });
    this.#changed.fire(uri);
    if (this.#shown?.toString() === uri.toString()) return;
    this.#shown = uri;
    void commands.executeCommand('vscode.diff', document.uri, uri, title, {
      preserveFocus: true,
      preview: false,
      selection: range,
    });
  }

  /** Closes the diff. */
  async close(): Promise<void> {
    this.#shown = undefined;
    const tabs = window.tabGroups.all.flatMap((group) => group.tabs);
    const ours = tabs.filter(
      ({ input }) => input instanceof TabInputTextDiff && input.modified.scheme === previewScheme,
    );
    await window.tabGroups.close(ours);
  }

  dispose(): void {
    this.#registration.dispose();
    this.#changed.dispose();
  }
}
