// The AWS SDK for JavaScript v3, spoken to in lines of JSON by jssdk.py: one request at a time, until its input ends.
//
// First line in: where to send. First line out: {"id": 0}. Then {"id", "verb", "operation", "params", …} in, and
// {"id", "output"} or {"id", "error"} out, each with "body" where the answer had one. Bytes are {"$bytes": base64},
// dates go in as {"$date": ISO} and come out as ISO text. Nothing but answers is written to standard output.

import http from "node:http";
import https from "node:https";
import { createRequire } from "node:module";
import path from "node:path";
import readline from "node:readline";
import { Readable } from "node:stream";
import tls from "node:tls";

globalThis.console = new console.Console(process.stderr);

const [folder] = process.argv.slice(2);
const [s3, storage, presigner] = ["client-s3", "lib-storage", "s3-request-presigner"].map((name) => {
  try {
    return createRequire(path.join(folder, "package.json"))(`@aws-sdk/${name}`);
  } catch (error) {
    process.stderr.write(`cannot load @aws-sdk/${name}: ${String(error.message).split("\n")[0]}\n`);
    return process.exit(1);
  }
});

const PIECE = 64 * 1024; // bytes that a stream gives at once, as a file does

// --- the way to the endpoint ---

let connections = 0; // begun since the last request came in

/** An agent whose every connection is a tunnel through the wiretap. */
const tunnelling = (Agent, secure, tap, timeout) =>
  class extends Agent {
    createConnection({ host, port, servername }, done) {
      connections += 1;
      const authority = `${host.includes(":") ? `[${host}]` : host}:${port}`;
      const headers = { Host: authority };
      const tunnel = http.request({ ...tap, method: "CONNECT", path: authority, headers, agent: false, timeout });
      tunnel.once("connect", (answer, socket) => {
        if (answer.statusCode === 200) {
          done(null, secure ? tls.connect({ socket, host, servername }) : socket);
          return;
        }
        socket.destroy();
        done(new Error(`no connection to ${authority}: ${answer.statusMessage}`));
      });
      tunnel.once("error", (error) => done(Object.assign(error, { name: "NoWiretap" })));
      tunnel.once("timeout", () => tunnel.destroy(new Error(`no answer to CONNECT within ${timeout} ms`)));
      tunnel.end();
    }
  };

let agents; // kept for one request, so that no connection that went wrong is used by the next
let configuration;

function configure({ tap, timeout, ...rest }) {
  const options = { keepAlive: true, maxSockets: 50 };
  agents = [
    new (tunnelling(http.Agent, false, tap, timeout))(options),
    new (tunnelling(https.Agent, true, tap, timeout))(options),
  ];
  const [httpAgent, httpsAgent] = agents;
  const bounds = { connectionTimeout: timeout, requestTimeout: timeout, throwOnRequestTimeout: true };
  configuration = { ...rest, requestHandler: { httpAgent, httpsAgent, socketTimeout: timeout, ...bounds } };
}

// --- the snippets ---

/** A command of the SDK, by the name of its operation. */
const command = (operation, params) => {
  const Command = s3[`${operation}Command`];
  if (Command === undefined) throw named("UnknownOperation", `there is no ${operation}Command`);
  return new Command(params);
};

/** `params` with their Body as a stream of pieces. */
const streamed = ({ Body, ...params }) => {
  const count = Math.ceil(Body.length / PIECE);
  const pieces = Array.from({ length: count }, (_, n) => Body.subarray(n * PIECE, (n + 1) * PIECE));
  return { ...params, Body: Readable.from(pieces, { objectMode: false }) };
};

const verbs = {
  async call({ client, operation, params, signal }, answer) {
    const { $metadata, ...output } = await client.send(command(operation, params), { abortSignal: signal });
    if (output.Body instanceof Readable) {
      const { Body, ...members } = output;
      answer.output = members;
      await read(Body, answer, signal);
      return;
    }
    answer.output = output;
  },

  async stream(request, answer) {
    await verbs.call({ ...request, params: streamed(request.params) }, answer);
  },

  async list({ client, params: { MaxKeys, ...params }, pages, signal }, answer) {
    answer.output = { Contents: [], CommonPrefixes: [] };
    let number = 0;
    const walk = s3.paginateListObjectsV2({ client, pageSize: MaxKeys }, params, { abortSignal: signal });
    for await (const page of walk) {
      number += 1;
      if (number > pages) throw named("Endless", `the listing does not end: cut after ${pages} pages`);
      answer.output.Contents.push(...(page.Contents ?? []));
      answer.output.CommonPrefixes.push(...(page.CommonPrefixes ?? []));
    }
  },

  async upload({ client, params, partSize, abort }, answer) {
    const upload = new storage.Upload({ client, params, partSize, abortController: abort });
    const { $metadata, ...output } = await upload.done();
    answer.output = output;
  },

  async uploadStream(request, answer) {
    await verbs.upload({ ...request, params: streamed(request.params) }, answer);
  },

  async presign({ client, operation, params, expiresIn }, answer) {
    answer.output = { Url: await presigner.getSignedUrl(client, command(operation, params), { expiresIn }) };
  },
};

/** A body to its very end: only there does the SDK check its checksum, as it does for its users. */
async function read(stream, answer, signal) {
  const pieces = [];
  let size = 0;
  signal.addEventListener("abort", () => stream.destroy(signal.reason));
  try {
    for await (const piece of stream) {
      pieces.push(piece);
      size += piece.length;
      if (size > configuration.maxBody) break;
    }
  } finally {
    answer.body = Buffer.concat(pieces).toString("base64");
  }
}

// --- the conversation ---

// One line for whoever reads standard error; Node's own account ends with its version.
process.on("uncaughtException", (error) => {
  process.stderr.write(`broke with ${error?.name}: ${String(error?.message).split("\n")[0]}\n`);
  process.exit(1);
});

const named = (name, message) => Object.assign(new Error(message), { name });

/** The end of `work`, or an error once the time is over; all connections end with it. */
async function within(milliseconds, work) {
  const abort = new AbortController();
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => {
      const error = named("TimeoutError", `no end within ${milliseconds} ms`);
      reject(error);
      abort.abort(error);
    }, milliseconds);
  });
  try {
    await Promise.race([work(abort), late]);
  } finally {
    clearTimeout(timer);
    agents.forEach((agent) => agent.destroy());
  }
}

/** For a body that the SDK leaves unread: that it ends with its connection is no error of anybody's. */
const settle = (response) => response?.body?.on?.("error", () => {});
const settling = (next) => async (request) => {
  try {
    const result = await next(request);
    settle(result.response);
    return result;
  } catch (error) {
    settle(error.$response); // wrapped by then, where the SDK checks a checksum
    throw error;
  }
};

async function serve({ id, verb, settings, milliseconds, ...request }) {
  const answer = { id };
  connections = 0;
  const client = new s3.S3Client({ ...configuration, ...settings });
  client.middlewareStack.add(settling, { step: "initialize" });
  client.middlewareStack.add(settling, { step: "deserialize", priority: "low" });
  try {
    await within(milliseconds, (abort) => verbs[verb]({ ...request, client, abort, signal: abort.signal }, answer));
  } catch (error) {
    const { name, message, code, $fault: fault, $metadata: metadata } = error;
    answer.error = { name, message, code, fault, status: metadata?.httpStatusCode };
  }
  return { ...answer, sent: connections > 0 };
}

const revive = (_, value) => {
  if (typeof value?.$bytes === "string") return Buffer.from(value.$bytes, "base64");
  return typeof value?.$date === "string" ? new Date(value.$date) : value;
};

// What JSON has no form for, a date or number that is none, is left out.
const told = (_, value) => (value === null || Number.isNaN(value) ? undefined : value);

const write = (answer) => process.stdout.write(`${JSON.stringify(answer, told)}\n`);

const lines = readline.createInterface({ input: process.stdin, crlfDelay: Infinity });
lines.once("close", () => process.exit(0));
lines.once("line", (first) => {
  configure(JSON.parse(first, revive));
  write({ id: 0 });
  lines.on("line", async (line) => write(await serve(JSON.parse(line, revive))));
});
