// Handlers: from `folder/module.name` to a function, found where AWS looks and in its order.
//
// https://docs.aws.amazon.com/lambda/latest/dg/nodejs-handler.html

import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { runtimeError } from "./errors.mjs";

// Named as AWS's own program: the name is part of what Node.js says of a module that is missing.
const require = createRequire("/var/runtime/index.mjs");

const isThere = (file) => fs.existsSync(file);
const load = (file) => (isThere(file) ? require(file) : undefined);
const loadModule = async (file) => (isThere(file) ? await import(pathToFileURL(file).href) : undefined);

/** Whether the nearest package.json says `"type": "module"`. */
function isModule(folder) {
  if (path.basename(folder) === "node_modules") return false;
  const file = path.join(folder, "package.json");
  if (isThere(file)) {
    try {
      return JSON.parse(fs.readFileSync(file, "utf8")).type === "module";
    } catch (error) {
      console.warn(`${file} cannot be read, it will be ignored for ES module detection purposes.`, error);
      return false;
    }
  }
  const above = path.dirname(folder);
  return above !== folder && isModule(above);
}

async function loadApplication(root, folder, name) {
  const file = path.resolve(root, folder, name);
  const module = isThere(file + ".js") && isModule(path.dirname(file));
  const found =
    load(file) ??
    (module ? await loadModule(file + ".js") : load(file + ".js")) ??
    (await loadModule(file + ".mjs")) ??
    load(file + ".cjs");
  return found ?? require(require.resolve(name, { paths: [root, folder] }));
}

/** The handler. Throws the errors AWS's runtime gives: Runtime.HandlerNotFound, Runtime.ImportModuleError ... */
export async function findHandler(root, handler) {
  if (handler.includes("..")) {
    throw runtimeError(
      "MalformedHandlerName",
      `'${handler}' is not a valid handler name. Use absolute paths when specifying root directories in handler names.`,
    );
  }
  const last = path.basename(handler);
  const folder = handler.slice(0, handler.indexOf(last));
  const [, name, members] = last.match(/^([^.]*)\.(.*)$/) ?? [];
  if (name === undefined) throw runtimeError("MalformedHandlerName", "Bad handler");
  let found;
  try {
    found = await loadApplication(root, folder, name);
  } catch (error) {
    if (error instanceof SyntaxError) throw runtimeError("UserCodeSyntaxError", error);
    if (error?.code === "MODULE_NOT_FOUND") throw runtimeError("ImportModuleError", error);
    throw error;
  }
  for (const member of members.split(".")) found = found && found[member];
  if (!found) throw runtimeError("HandlerNotFound", `${handler} is undefined or not exported`);
  if (typeof found !== "function") throw runtimeError("HandlerNotFound", `${handler} is not a function`);
  return found;
}
