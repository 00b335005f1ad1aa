// Runs idp serve with a configuration of its own: one client, and Jane.
// IDP is the binary; run.sh builds it and sets it.

import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

export class Served {
  constructor(issuer, folder, process) {
    Object.assign(this, { issuer, folder, process });
  }

  /** Starts a server for a client of the configuration's; files lie beside it. */
  static async start({ client, files = {} }) {
    const folder = mkdtempSync(join(tmpdir(), "idp-interop-"));
    const port = await freePort();
    const issuer = `http://127.0.0.1:${port}`;
    const hash = spawnSync(process.env.IDP, ["people", "hash"], { input: "jane-password\n", encoding: "utf8" }).stdout.trim();
    writeFileSync(join(folder, "people.yaml"), `people:\n  - {username: jane, sub: 0123456789abcdef, password_hash: '${hash}', customerInfo: {ctype: gold}}\n`);
    for (const [name, content] of Object.entries(files)) {
      writeFileSync(join(folder, name), content);
    }
    writeFileSync(
      join(folder, "idp.yaml"),
      `issuer: ${issuer}
listen: 127.0.0.1:${port}
operations: off
data: data
people: people.yaml
brand: {name: Brand}
clients:
${client}
`,
    );
    const child = spawn(process.env.IDP, ["serve", "--config", join(folder, "idp.yaml")], { stdio: ["ignore", "ignore", "pipe"] });
    let log = "";
    await new Promise((resolve, reject) => {
      child.stderr.on("data", (text) => {
        log += text;
        if (log.includes('"serving"')) resolve();
      });
      child.on("exit", () => reject(new Error(`idp serve did not start: ${log}`)));
    });
    return new Served(issuer, folder, child);
  }

  async stop() {
    const gone = new Promise((resolve) => this.process.on("exit", resolve));
    this.process.kill("SIGTERM");
    await gone;
    rmSync(this.folder, { recursive: true });
  }
}

/** A provider that is not ours, see other.mjs. */
export class Other {
  constructor(issuer, child) {
    Object.assign(this, { issuer, process: child });
  }

  static async start() {
    const port = await freePort();
    const child = spawn(process.execPath, ["other.mjs", String(port)], { stdio: ["pipe", "pipe", "ignore"] });
    await new Promise((resolve, reject) => {
      child.stdout.once("data", resolve);
      child.on("exit", () => reject(new Error("the other provider did not start")));
    });
    return new Other(`http://127.0.0.1:${port}`, child);
  }

  /** Runs idp conformance against it. */
  async conformance(...args) {
    const secret = (id) => `${id}-secret-0123456789abcdef0123456789`;
    const child = spawn(
      process.env.IDP,
      ["conformance", "--issuer", this.issuer, "--client", "web", "--other", "other", "--post", "post", "--redirect-uri", "https://web.example/cb",
        "--post-logout-redirect-uri", "https://web.example/bye", ...args],
      {
        env: {
          IDP_CONFORMANCE_SECRET: secret("web"), IDP_CONFORMANCE_OTHER_SECRET: secret("other"), IDP_CONFORMANCE_POST_SECRET: secret("post"),
          IDP_CONFORMANCE_PASSWORD: "any", IDP_CONFORMANCE_ELSE_PASSWORD: "any",
        },
      },
    );
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (text) => (stdout += text));
    child.stderr.on("data", (text) => (stderr += text));
    const code = await new Promise((resolve) => child.on("close", resolve));
    return { code, stdout, stderr };
  }

  async stop() {
    const gone = new Promise((resolve) => this.process.on("exit", resolve));
    this.process.stdin.end();
    await gone;
  }
}

/** A port of the loopback address that was free a moment ago. */
function freePort() {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}
