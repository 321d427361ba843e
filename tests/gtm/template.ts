/**
 * Reads a template of Google Tag Manager's (`.tpl`) and checks that it stays within what GTM takes: sandboxed JavaScript,
 * the APIs of its kind of container, and the permissions that it declares.
 */
import { readFileSync } from "node:fs";
import { parseAst } from "vite";
import { APIS, type Permission } from "./emulator.ts";

export interface Template {
  readonly kind: "web" | "server";
  readonly info: { readonly type: string; readonly containerContexts: readonly string[]; readonly displayName: string };
  readonly parameters: readonly Parameter[];
  readonly code: string;
  readonly permissions: readonly Permission[];
  readonly scenarios: readonly { readonly name: string; readonly code: string }[];
}

interface Parameter {
  readonly type: string;
  readonly name: string;
  readonly valueValidators?: readonly { readonly type: string; readonly args?: readonly string[] }[];
  readonly valueHint?: string;
  readonly subParams?: readonly Parameter[];
}

/** A value as templates write it: 1 is a text, 2 a list, 3 a map, 8 yes or no. */
interface Value {
  readonly type: number;
  readonly string?: string;
  readonly boolean?: boolean;
  readonly listItem?: readonly Value[];
  readonly mapKey?: readonly Value[];
  readonly mapValue?: readonly Value[];
}

const SECTIONS = ["TERMS_OF_SERVICE", "INFO", "TEMPLATE_PARAMETERS", "CODE", "PERMISSIONS", "TESTS", "NOTES"];

/** Reads a file; its sections are all there, each once, in the order in which GTM exports them. */
export function readTemplate(file: string): Template {
  const sections = readFileSync(file, "utf8").split(/^___([A-Z_]+)___\n/m);
  const texts = new Map<string, string>();
  for (let at = 1; at < sections.length; at += 2) {
    const name = `${sections[at]}`
      .replace(/^SANDBOXED_JS_FOR_(WEB_TEMPLATE|SERVER)$/, "CODE")
      .replace(/^(WEB|SERVER)_PERMISSIONS$/, "PERMISSIONS");
    texts.set(name, `${sections[at + 1]}`);
  }
  if (sections[0] !== "" || `${[...texts.keys()]}` !== `${SECTIONS}` || sections.length !== 2 * SECTIONS.length + 1) {
    throw new Error(`${file}: the sections are ${[...texts.keys()]}, and should be ${SECTIONS}`);
  }
  const of = (name: string) => texts.get(name) ?? "";
  return {
    kind: sections.includes("SANDBOXED_JS_FOR_SERVER") ? "server" : "web",
    info: JSON.parse(of("INFO")),
    parameters: (JSON.parse(of("TEMPLATE_PARAMETERS")) as Parameter[]).flatMap((each) => each.subParams ?? [each]),
    code: of("CODE"),
    permissions: (JSON.parse(of("PERMISSIONS")) as RawPermission[]).map(({ instance }) => ({
      id: instance.key.publicId,
      ...Object.fromEntries(instance.param.map(({ key, value }) => [key, plain(value)])),
    })),
    scenarios: scenariosOf(of("TESTS")),
  };
}

interface RawPermission {
  readonly instance: {
    readonly key: { readonly publicId: string };
    readonly param: readonly { readonly key: string; readonly value: Value }[];
  };
}

function plain(value: Value): unknown {
  if (value.type === 2) return (value.listItem ?? []).map(plain);
  if (value.type === 8) return value.boolean;
  if (value.type !== 3) return value.string;
  return Object.fromEntries(
    (value.mapKey ?? []).map((key, at) => [key.string, plain((value.mapValue ?? [])[at] as Value)]),
  );
}

/** The scenarios of the section TESTS: YAML, of which a name and a block of code for each are read. */
function scenariosOf(yaml: string): { name: string; code: string }[] {
  const [head, ...parts] = yaml.trim().split(/^- name: /m);
  if (head?.trim() !== "scenarios:") throw new Error("the section TESTS does not begin with scenarios:");
  return parts.map((part) => {
    const [name = "", mark, ...lines] = part.split("\n");
    if (mark !== "  code: |-") throw new Error(`the scenario ${name} has no block of code`);
    return { name, code: lines.map((line) => line.replace(/^ {4}/, "")).join("\n") };
  });
}

interface Node {
  readonly type: string;
  readonly [part: string]: unknown;
}

/** The syntax of ECMAScript 5.1 without `this`, `new`, `try`, `with`, labels and regular expressions; arrow functions, const and let. */
const SYNTAX = new Set(
  `Program FunctionDeclaration FunctionExpression ArrowFunctionExpression BlockStatement VariableDeclaration
  VariableDeclarator ExpressionStatement IfStatement ReturnStatement ForStatement ForInStatement WhileStatement
  BreakStatement ContinueStatement CallExpression MemberExpression Identifier Literal ObjectExpression Property
  ArrayExpression UnaryExpression BinaryExpression LogicalExpression AssignmentExpression ConditionalExpression
  UpdateExpression`.split(/\s+/),
);

/** The methods of texts and lists that GTM's sandbox has, and `then` of its promises. */
const METHODS = new Set(
  `concat every filter forEach hasOwnProperty indexOf join lastIndexOf map pop push reduce reduceRight reverse shift slice
  some sort splice unshift charAt match replace search split substring toLowerCase toUpperCase toString trim length
  then catch`.split(/\s+/),
);

/** What a template's code does that GTM's sandbox does not allow; a sentence each. */
export function problemsOf({ code, kind, permissions }: Template): string[] {
  const problems: string[] = [];
  const program = parseAst(`function template(require, data) {${code}}`) as unknown as Node;
  const declared = new Set(["require", "data", "undefined", "arguments", "template"]);
  const used: string[] = [];
  const required = new Set<string>();
  const visit = (node: Node, parent?: Node): void => {
    if (!SYNTAX.has(node.type)) problems.push(`${node.type} is no sandboxed JavaScript`);
    if (node.type === "Literal" && (node["regex"] || node["bigint"])) problems.push(`${node["raw"]} is no value there`);
    if (
      node.type === "Property" &&
      (node["shorthand"] || node["computed"] || node["method"] || node["kind"] !== "init")
    ) {
      problems.push("a property has a name and a value");
    }
    if (node["async"] || node["generator"] || node["optional"]) problems.push("async, * and ?. are no ECMAScript 5.1");
    if (node.type === "LogicalExpression" && node["operator"] === "??") problems.push("?? is no ECMAScript 5.1");
    if (node.type === "UnaryExpression" && node["operator"] === "delete") problems.push("delete is not taken");
    if (node.type === "VariableDeclarator") declared.add(`${(node["id"] as Node)["name"]}`);
    if (node.type === "FunctionDeclaration") declared.add(`${(node["id"] as Node)["name"]}`);
    for (const each of (node["params"] ?? []) as Node[]) declared.add(`${each["name"]}`);
    if (node.type === "Identifier") {
      const isName =
        (parent?.type === "MemberExpression" && parent["property"] === node && !parent["computed"]) ||
        (parent?.type === "Property" && parent["key"] === node);
      if (!isName) used.push(`${node["name"]}`);
    }
    if (node.type === "CallExpression") {
      const callee = node["callee"] as Node;
      const [first] = node["arguments"] as Node[];
      if (callee["name"] === "require") required.add(`${first?.["value"]}`);
      const property = callee["property"] as Node | undefined;
      const object = callee["object"] as Node | undefined;
      const isOwn =
        METHODS.has(`${property?.["name"]}`) || ["data", "JSON", "Math", "tracker"].includes(`${object?.["name"]}`);
      if (callee.type === "MemberExpression" && !isOwn) problems.push(`the method ${property?.["name"]} is not there`);
    }
    for (const value of Object.values(node)) {
      for (const each of Array.isArray(value) ? value : [value]) {
        if (typeof each === "object" && each !== null && "type" in each) visit(each as Node, node);
      }
    }
  };
  visit(program);
  for (const name of new Set(used)) if (!declared.has(name)) problems.push(`${name} is no name there`);
  const needed = new Set<string>();
  for (const name of required) {
    const api = APIS[name];
    if (!api?.kinds.includes(kind)) problems.push(`${name} is no API of a ${kind} container that is emulated`);
    if (api?.permission !== undefined) needed.add(api.permission);
  }
  for (const { id } of permissions) if (!needed.delete(id)) problems.push(`the permission ${id} is not needed`);
  for (const id of needed) problems.push(`the permission ${id} is missing`);
  return problems;
}
