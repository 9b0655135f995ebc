import { join } from 'node:path';
import ts from 'typescript';
import { type EntryPoint, root } from './entry-points.js';

/** The file that notes what a package exports. */
export function surfaceFile(folder: string): string {
  return join(root, 'docs/api-surface', `${folder}.txt`);
}

/** What each package exports: its folder, and {@link surfaceOf} its entry points. */
export function readSurfaces(
  program: ts.Program,
  entryPoints: readonly EntryPoint[],
): [folder: string, text: string][] {
  const folders = [...new Set(entryPoints.map(({ folder }) => folder))];
  return folders.map((folder) => [
    folder,
    surfaceOf(
      program,
      entryPoints.filter((entryPoint) => entryPoint.folder === folder),
    ),
  ]);
}

/**
 * All that a package exports, as text: for each entry point the names in order, with their declarations but without comments and private
 * members. Declarations that are not exported follow if an exported one names them.
 */
function surfaceOf(program: ts.Program, entryPoints: readonly EntryPoint[]): string {
  const checker = program.getTypeChecker();
  const printer = ts.createPrinter({ removeComments: true, newLine: ts.NewLineKind.LineFeed });
  const reached = new Set<ts.Symbol>();
  const exports = entryPoints.map(exportsOf);
  const exported = new Set(exports.flat().map(target));
  const sections = entryPoints.map(
    ({ name }, index) => `// ${name}\n\n${(exports[index] ?? []).map(showExport).join('\n')}`,
  );
  for (const symbol of exported) reached.add(symbol);
  // A set that grows is iterated to its end.
  for (const symbol of reached) declarationsOf(symbol).filter(isOwn).forEach(reach);
  const hidden = [...reached].filter((symbol) => !exported.has(symbol) && declarationsOf(symbol).some(isOwn));
  const named = hidden.map((symbol) => declarationsOf(symbol).map(print).join('')).sort();
  return [...sections, ...(named.length > 0 ? [`// not exported\n\n${named.join('\n')}`] : [])].join('\n');

  function exportsOf({ types }: EntryPoint): ts.Symbol[] {
    const module = checker.getSymbolAtLocation(program.getSourceFile(types) as ts.SourceFile) as ts.Symbol;
    return checker.getExportsOfModule(module).sort(byName);
  }

  function showExport(symbol: ts.Symbol): string {
    const declarations = declarationsOf(target(symbol));
    const owner = ownerOf(declarations[0]);
    if (owner !== entryPoints[0]?.folder) return `export { ${symbol.name} } of packages/${owner}\n`;
    const renamed = symbol.name === target(symbol).name ? '' : `// as ${symbol.name}\n`;
    return renamed + declarations.map(print).join('');
  }

  function isOwn(node: ts.Node): boolean {
    return ownerOf(node) === entryPoints[0]?.folder;
  }

  /** Adds the types that a declaration names. */
  function reach(node: ts.Node): void {
    if (isPrivate(node)) return;
    const name = ts.isTypeReferenceNode(node)
      ? node.typeName
      : ts.isExpressionWithTypeArguments(node)
        ? node.expression
        : undefined;
    const symbol = name && checker.getSymbolAtLocation(name);
    if (symbol && !(target(symbol).flags & ts.SymbolFlags.TypeParameter)) reached.add(target(symbol));
    ts.forEachChild(node, reach);
  }

  function target(symbol: ts.Symbol): ts.Symbol {
    return symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
  }

  function print(node: ts.Node): string {
    const [shown] = ts.transform(node, [withoutPrivate]).transformed;
    return `${printer.printNode(ts.EmitHint.Unspecified, shown as ts.Node, node.getSourceFile())}\n`;
  }
}

function withoutPrivate(context: ts.TransformationContext): (node: ts.Node) => ts.Node {
  const visit = (node: ts.Node): ts.Node | undefined =>
    isPrivate(node) ? undefined : ts.visitEachChild(node, visit, context);
  return (node) => ts.visitEachChild(node, visit, context);
}

function isPrivate(node: ts.Node): boolean {
  if (!ts.isClassElement(node)) return false;
  if (node.name && ts.isPrivateIdentifier(node.name)) return true;
  return ((ts.canHaveModifiers(node) && ts.getModifiers(node)) || []).some(
    ({ kind }) => kind === ts.SyntaxKind.PrivateKeyword,
  );
}

/** The declarations of a name: of a variable the whole statement. */
function declarationsOf({ declarations = [] }: ts.Symbol): ts.Node[] {
  return declarations.map((each) => (ts.isVariableDeclaration(each) ? each.parent.parent : each));
}

/** The folder of the package that declares something. */
function ownerOf(node: ts.Node | undefined): string | undefined {
  return /\/packages\/([^/]+)\/dist\//.exec(node?.getSourceFile().fileName ?? '')?.[1];
}

function byName(a: ts.Symbol, b: ts.Symbol): number {
  return a.name < b.name ? -1 : 1;
}
