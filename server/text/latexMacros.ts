/** What the macros and environments of LaTeX mean to a reader of its prose. */

/** Macros whose last argument is read on as prose. */
export const proseMacros = new Set(
  (
    'emph textbf textit texttt textsc textsf textrm textsl textmd textup textnormal text mbox ' +
    'underline uline enquote textquote href textcolor colorbox foreignlanguage textlang hl st so ' +
    'uppercase MakeUppercase lowercase MakeLowercase textsuperscript textsubscript alert ' +
    'texorpdfstring add added highlight'
  ).split(' '),
);

/** Macros that end a paragraph and whose arguments are not prose. */
export const breakingMacros = new Set(
  (
    'part chapter section subsection subsubsection paragraph subparagraph title subtitle author ' +
    'date institute maketitle tableofcontents item par begin end newpage clearpage pagebreak ' +
    'caption bibliography bibliographystyle printbibliography documentclass usepackage ' +
    'newcommand renewcommand providecommand newenvironment input include appendix hrule ' +
    'frametitle framesubtitle vspace bigskip medskip smallskip'
  ).split(' '),
);

/** Environments that are displayed maths: TeX allows no blank line inside. */
export const mathEnvironments = new Set(
  (
    'equation equation* align align* alignat alignat* gather gather* multline multline* flalign ' +
    'flalign* eqnarray eqnarray* math displaymath subequations dmath dmath*'
  ).split(' '),
);

/** Environments that are not prose. */
export const otherEnvironments = new Set([
  ...mathEnvironments,
  ...(
    'verbatim verbatim* Verbatim lstlisting minted comment filecontents filecontents* tabular ' +
    'tabular* tabularx tabulary longtable tabbing array table table* figure figure* wrapfigure ' +
    'sidewaystable sidewaysfigure tikzpicture picture pspicture thebibliography algorithm ' +
    'algorithm* algorithmic algorithm2e alltt titlepage'
  ).split(' '),
]);

/** Macros that stand for characters. */
export const replacedMacros = new Map([
  ...['%', '&', '$', '#', '_', '{', '}'].map((sign) => [sign, sign] as const),
  ...[' ', ',', ';', ':', 'quad', 'qquad', 'enspace', 'newline', '\n', '\t', 'space'].map(
    (name) => [name, ' '] as const,
  ),
  ['ldots', '…'],
  ['dots', '…'],
  ['textellipsis', '…'],
  ['textendash', '–'],
  ['textemdash', '—'],
  ['textbackslash', '\\'],
  ['textasciitilde', '~'],
  ['textasciicircum', '^'],
  ['LaTeX', 'LaTeX'],
  ['LaTeXe', 'LaTeX2e'],
  ['TeX', 'TeX'],
  ['BibTeX', 'BibTeX'],
  ['ss', 'ß'],
  ['ae', 'æ'],
  ['AE', 'Æ'],
  ['oe', 'œ'],
  ['OE', 'Œ'],
  ['o', 'ø'],
  ['O', 'Ø'],
  ['l', 'ł'],
  ['L', 'Ł'],
  ['aa', 'å'],
  ['AA', 'Å'],
  ['i', 'ı'],
  ['S', '§'],
  ['P', '¶'],
  ['pounds', '£'],
  ['euro', '€'],
  ['copyright', '©'],
  ['textdegree', '°'],
]);

/** Macros that put an accent on the next letter, with Unicode's combining marks. */
export const accentMarks = new Map([
  ['`', '\u0300'],
  ["'", '\u0301'],
  ['^', '\u0302'],
  ['~', '\u0303'],
  ['=', '\u0304'],
  ['u', '\u0306'],
  ['.', '\u0307'],
  ['"', '\u0308'],
  ['r', '\u030a'],
  ['H', '\u030b'],
  ['v', '\u030c'],
  ['d', '\u0323'],
  ['c', '\u0327'],
  ['k', '\u0328'],
]);
