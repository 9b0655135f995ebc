import ts from 'typescript';

/** One row of a table of options. */
export interface Option {
  /** With the names of the objects that it is a member of: `retry.capMs`. */
  readonly name: string;
  readonly type: string;
  /** The text of `@default`; `required` for what has no default. */
  readonly default: string;
  readonly meaning: string;
  /** The pages of `@see`. */
  readonly pages: readonly string[];
}

/** Reads the options of an interface from its declaration and the comments there. `inherited` reads those of its bases, too. */
export function readOptions(program: ts.Program, file: string, name: string, inherited: boolean): Option[] {
  const checker = program.getTypeChecker();
  const source = program.getSourceFile(file);
  const exported = source && checker.getExportsOfModule(checker.getSymbolAtLocation(source) as ts.Symbol);
  const found = exported?.find((symbol) => symbol.name === name);
  if (!found) throw new Error(`${file} exports no ${name}`);
  const symbol = found.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(found) : found;
  const type = checker.getDeclaredTypeOfSymbol(symbol);
  const own = new Set(symbol.declarations);
  const isOwn = (property: ts.Symbol) => property.declarations?.some(({ parent }) => own.has(parent as ts.Declaration));
  const properties = checker.getPropertiesOfType(type).filter((property) => inherited || isOwn(property));
  return properties.flatMap((property) => read(checker, property, ''));
}

/** An option, and after it the members of its object. */
function read(checker: ts.TypeChecker, property: ts.Symbol, prefix: string): Option[] {
  const declaration = property.valueDeclaration;
  if (!declaration || !ts.isPropertySignature(declaration) || !declaration.type) return [];
  const name = prefix + property.name;
  const tags = property.getJsDocTags(checker);
  const textOf = (tag: string) =>
    tags.filter((each) => each.name === tag).map(({ text }) => plain(ts.displayPartsToString(text)));
  const [fallback = declaration.questionToken ? '' : 'required'] = textOf('default');
  const meaning = plain(ts.displayPartsToString(property.getDocumentationComment(checker)));
  const own = { name, type: describe(checker, declaration.type), default: fallback, meaning, pages: textOf('see') };
  const members = membersOf(checker, checker.getTypeOfSymbol(property));
  return [own, ...members.flatMap((member) => read(checker, member, `${name}.`))];
}

/** The members of the object that an option may be, if there is one such object. */
function membersOf(checker: ts.TypeChecker, type: ts.Type): readonly ts.Symbol[] {
  const objects = (type.isUnion() ? type.types : [type]).filter((part) =>
    part.symbol?.declarations?.some(isPlainObject),
  );
  const [only] = objects;
  return only && objects.length === 1 ? checker.getPropertiesOfType(only) : [];
}

/** An interface of ours that has data only. */
function isPlainObject(declaration: ts.Declaration): declaration is ts.InterfaceDeclaration {
  return (
    ts.isInterfaceDeclaration(declaration) && isOurs(declaration) && declaration.members.every(ts.isPropertySignature)
  );
}

function isOurs(declaration: ts.Declaration): boolean {
  return !declaration.getSourceFile().fileName.includes('/node_modules/');
}

/** A type in a cell: the values of a choice, the members of an object, the parameters of a function. */
function describe(checker: ts.TypeChecker, node: ts.TypeNode): string {
  const parts = partsOf(checker, node);
  const objects = parts.filter((part) => ts.isTypeReferenceNode(part) && objectOf(checker, part));
  const [first, ...others] = parts.map((part) => describePart(checker, part, objects.length === 1));
  if (first === undefined) return '';
  return others.length === 0 ? first.replace(/^\((.*)\)$/, '$1') : [first, ...others].join(' | ');
}

/** The types that a type is a union of, also by its name. */
function partsOf(checker: ts.TypeChecker, node: ts.TypeNode): ts.TypeNode[] {
  if (node.kind === ts.SyntaxKind.UndefinedKeyword) return [];
  if (ts.isUnionTypeNode(node)) return node.types.flatMap((part) => partsOf(checker, part));
  const alias = ts.isTypeReferenceNode(node) && declarationOf(checker, node);
  if (alias && ts.isTypeAliasDeclaration(alias) && isOurs(alias) && ts.isUnionTypeNode(alias.type))
    return partsOf(checker, alias.type);
  return [node];
}

function describePart(checker: ts.TypeChecker, node: ts.TypeNode, withMembers: boolean): string {
  const text = node.getText().replace(/\s+/g, ' ');
  if (text === '(string & {})') return 'string';
  if (ts.isTypeOperatorNode(node)) return describePart(checker, node.type, withMembers);
  if (ts.isArrayTypeNode(node)) return `${describePart(checker, node.elementType, false)}[]`;
  if (ts.isTypeLiteralNode(node)) return membersText(node.members);
  if (ts.isIndexedAccessTypeNode(node))
    return checker.typeToString(checker.getNonNullableType(checker.getTypeFromTypeNode(node)));
  if (!ts.isTypeReferenceNode(node)) return text;
  const [argument] = node.typeArguments ?? [];
  if (argument && node.typeName.getText() === 'Readonly') return describePart(checker, argument, withMembers);
  const object = withMembers && objectOf(checker, node);
  return object ? membersText(object.members) : text;
}

function objectOf(checker: ts.TypeChecker, node: ts.TypeReferenceNode): ts.InterfaceDeclaration | undefined {
  const declaration = declarationOf(checker, node);
  return declaration && isPlainObject(declaration) ? declaration : undefined;
}

function declarationOf(checker: ts.TypeChecker, { typeName }: ts.TypeReferenceNode): ts.Declaration | undefined {
  const symbol = checker.getSymbolAtLocation(typeName);
  const target = symbol && symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
  return target?.declarations?.[0];
}

function membersText(members: ts.NodeArray<ts.TypeElement>): string {
  const names = members.map((member) => `${member.name?.getText()}${member.questionToken ? '?' : ''}`);
  return `{ ${names.join(', ')} }`;
}

function plain(text: string): string {
  return text
    .replace(/\{@link (\S+?)\}/g, '`$1`')
    .replace(/\s+/g, ' ')
    .trim();
}

/** A value at the beginning of a default. */
const VALUE = /^('[^']*'|\d[\d_.]*|true|false)(?=$|[;,]| \()/;

/** The options as a table of Markdown. `link` makes the address of a page. */
export function optionTable(options: readonly Option[], link: (page: string) => string): string {
  const rows = options.map(({ name, type, default: fallback, meaning, pages }) => [
    `\`${name}\``,
    `\`${type}\``,
    fallback.replace(VALUE, '`$1`'),
    [meaning, ...pages.map(link)].filter(Boolean).join(' '),
  ]);
  return [['option', 'type', 'default', 'meaning'], ['---', '---', '---', '---'], ...rows].map(line).join('\n');
}

/** A row. A `|` within a cell is escaped, in code, too. */
function line(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}
