// Bootstrap: a Node.js process that becomes an execution environment.
//
// Started ahead of need it waits on its channel (NODE_CHANNEL_FD: Node.js takes descriptors there) for the pipe of its
// output and then, with its variables, for its connection to the Runtime API. Started for one function it has all of
// that from the beginning, the connection as descriptor STRATOLITE_CONNECTION.

import fs from "node:fs";
import Module from "node:module";
import net from "node:net";
import { Connection, initError, refusal } from "./connection.mjs";
import { told, unhandledRejection } from "./errors.mjs";
import { findHandler } from "./handlers.mjs";
import { Invocations, refuseCallback } from "./invocations.mjs";
import { logError, replaceConsole } from "./log.mjs";
import { awslambda } from "./streams.mjs";

const UNCAUGHT = 129;
const UNHANDLED = 128;

/** Node.js itself looks at NODE_PATH when it starts only. */
function searchPaths(task, layers, packages) {
  const [, major] = process.env.AWS_EXECUTION_ENV.match(/nodejs(\d+)/);
  const opt = `${layers || "/opt"}/nodejs`;
  const own = [`${opt}/node${major}/node_modules`, `${opt}/node_modules`];
  process.env.NODE_PATH ??= [...own, ...packages, "/var/runtime/node_modules", "/var/runtime", task].join(":");
  Module._initPaths();
}

async function become(socket, places) {
  const task = places.task || process.env.LAMBDA_TASK_ROOT;
  process.chdir(task);
  process.env.PWD = task;
  process.argv = [process.argv[0], "/var/runtime/index.mjs"];
  searchPaths(task, places.layers, places.packages);
  replaceConsole();
  let invocations;
  const connection = new Connection(socket, (headers, body) => invocations.take(headers, body));
  const end = (error, status) => {
    const requestId = invocations?.requestId;
    const what = told(error);
    connection.end(requestId === undefined ? initError(what) : refusal(requestId, what), status);
  };
  const uncaught = (error) => {
    logError("Uncaught Exception", error);
    end(error, UNCAUGHT);
  };
  process.on("uncaughtException", uncaught);
  process.on("unhandledRejection", (reason, promise) => {
    const error = unhandledRejection(reason, promise);
    logError("Unhandled Promise Rejection", error);
    end(error, UNHANDLED);
  });
  if (process.env.AWS_LAMBDA_NODEJS_NO_GLOBAL_AWSLAMBDA !== "true") globalThis.awslambda = awslambda;
  try {
    const handler = await findHandler(task, process.env._HANDLER);
    refuseCallback(handler);
    invocations = new Invocations(handler);
  } catch (error) {
    uncaught(error);
    return;
  }
  invocations.connection = connection;
  connection.next();
}

/** Standard output and error: the numbers 1 and 2 are the lowest free ones once they are closed. */
function speakInto(pipe) {
  for (const number of [1, 2]) {
    fs.closeSync(number);
    fs.openSync(`/dev/fd/${pipe.fd}`, fs.constants.O_WRONLY);
  }
  pipe.close();
}

function leaveChannel() {
  process.removeAllListeners("message");
  process.removeAllListeners("disconnect");
  if (process.connected) process.disconnect();
  // Libraries take a process that can send for a worker of somebody's.
  process.send = process.disconnect = undefined;
}

if (process.send) {
  // The zygote hangs up only when it dies.
  let isTold = false;
  process.on("disconnect", () => isTold || process.exit(0));
  process.on("message", (message, handle) => {
    if (message === "output") return speakInto(handle);
    isTold = true;
    for (const name of Object.keys(process.env)) delete process.env[name];
    Object.assign(process.env, message.env);
    // Node.js has not finished with the message yet.
    setImmediate(() => {
      leaveChannel();
      become(handle, message);
    });
  });
} else {
  const { STRATOLITE_CONNECTION, STRATOLITE_PLACES } = process.env;
  delete process.env.STRATOLITE_CONNECTION;
  delete process.env.STRATOLITE_PLACES;
  become(new net.Socket({ fd: Number(STRATOLITE_CONNECTION) }), JSON.parse(STRATOLITE_PLACES));
}
